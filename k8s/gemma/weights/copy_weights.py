"""A repository of the hub in, the same files in a bucket out: one exact revision, which is written down beside them.

Runs in vLLM's image, which has both libraries. What is in the bucket already with the same size is not sent again.
"""

import os
from pathlib import Path

from google.cloud import storage
from huggingface_hub import HfApi, snapshot_download

repository, model = os.environ["REPOSITORY"], os.environ["MODEL"]
revision = HfApi().model_info(repository, revision=os.environ["REVISION"]).sha
folder = Path(snapshot_download(repository, revision=revision, local_dir=f"/weights/{model}"))
(folder / "REVISION").write_text(f"{repository}@{revision}\n")

bucket = storage.Client().bucket(os.environ["WEIGHTS_BUCKET"])
there = {blob.name: blob.size for blob in bucket.list_blobs(prefix=f"{model}/")}
files = sorted(path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts)
for path in files:
    name = f"{model}/{path.relative_to(folder).as_posix()}"
    if there.get(name) != path.stat().st_size or path.name == "REVISION":
        print("copying", name, flush=True)
        bucket.blob(name).upload_from_filename(str(path), checksum="crc32c", timeout=600)
print(f"{len(files)} files of {repository}@{revision} are in gs://{bucket.name}/{model}")
