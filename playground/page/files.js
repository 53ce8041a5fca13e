/** A message's files in, cards to download them and previews of pictures out. */
import { h } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]); // what a browser can only draw, never run
const LARGEST_PREVIEW = 8 * 1024 * 1024;

/** The files below a message; each opens as a download. */
export function files(app, message) {
  if (!message.files?.length) return null;
  return h("div", { class: "files" }, message.files.map((file) => card(app.api.fileUrl(file.id), file)));
}

function card(url, file) {
  const name = file.title || file.name;
  const detail = [file.pretty_type || file.mimetype, file.size && bytes(file.size)].filter(Boolean).join(" · ");
  const preview = PICTURES.has(file.mimetype) && file.size <= LARGEST_PREVIEW;
  return h(
    "a",
    { class: preview ? "file file-picture" : "file", href: url, download: file.name, title: "Download" },
    preview && h("img", { src: url, alt: "", loading: "lazy" }),
    h("span", { class: "file-line" }, icon("file", 22), h("span", { class: "file-words" }, h("span", { class: "unseen" }, "Download "), h("strong", {}, name), h("small", { class: "muted" }, detail)), icon("download", 16)),
  );
}
