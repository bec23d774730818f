/** What Kubernetes' clients compare with their own version; 1.32 is the API that this server speaks. */
export const versionInfo = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0+davit",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};
