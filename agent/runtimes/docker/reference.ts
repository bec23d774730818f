/** Splits an image reference as the Engine's pull call wants it; without a tag it would pull all of them. */
export function splitReference(image: string): { name: string; tag: string } {
  const at = image.indexOf("@");
  if (at > 0) return { name: image.slice(0, at), tag: image.slice(at + 1) };
  const colon = image.lastIndexOf(":");
  // A colon before a slash belongs to the registry's port.
  if (colon > image.lastIndexOf("/")) return { name: image.slice(0, colon), tag: image.slice(colon + 1) };
  return { name: image, tag: "latest" };
}
