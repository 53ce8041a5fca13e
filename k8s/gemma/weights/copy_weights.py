"""A repository of the hub in, the same files in a bucket out: one exact revision, which is written down beside them.

Runs in vLLM's image, which has both libraries. REVISION is there only while all the rest is; what an earlier run copied
of the same revision is not sent again.
"""

import os
from pathlib import Path

from google.cloud import storage
from huggingface_hub import HfApi, snapshot_download

repository, model = os.environ["REPOSITORY"], os.environ["MODEL"]
bucket = storage.Client().bucket(os.environ["WEIGHTS_BUCKET"])
mark = bucket.blob(f"{model}/REVISION")

revision = HfApi().model_info(repository, revision=os.environ["REVISION"]).sha
folder = Path(snapshot_download(repository, revision=revision, local_dir=Path.home() / model))
there = {blob.name: (blob.metadata or {}).get("revision") for blob in bucket.list_blobs(prefix=f"{model}/")}
if mark.name in there:
    mark.delete()
files = sorted(path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts)
for path in files:
    name = f"{model}/{path.relative_to(folder).as_posix()}"
    if there.get(name) != revision:
        print("copying", name, flush=True)
        blob = bucket.blob(name)
        blob.metadata = {"revision": revision}
        blob.upload_from_filename(str(path), checksum="crc32c", timeout=600)
mark.upload_from_string(f"{repository}@{revision}\n")
print(f"{len(files)} files of {repository}@{revision} are in gs://{bucket.name}/{model}")
