export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443` */
  server: string;
  /** PEM text of the CA's certificate. */
  ca: string;
  token: string;
  /** @default "default" */
  namespace?: string;
}

/** A kubeconfig of its own with one context, `davit`. It is JSON, which is YAML. */
export function kubeconfig({ server, ca, token, namespace = "default" }: KubeconfigOptions): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "davit", cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } },
    ],
    users: [{ name: "davit", user: { token } }],
    contexts: [{ name: "davit", context: { cluster: "davit", user: "davit", namespace } }],
    "current-context": "davit",
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
