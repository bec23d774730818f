/** A service `steady` of `count` tasks, each a container that does nothing until it is stopped. */
export const steadyService = (image: string, count: number): string => `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: steady }
spec:
  containerDefinitions:
    - { name: main, image: "${image}", memory: 16, command: [sleep, "100000"], stopTimeout: 2 }
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: steady }
spec: { taskDefinition: steady, desiredCount: ${count}, deploymentConfiguration: { minHealthySeconds: 1 } }
`;
