// Manifests in (JSON, standard input), what their kinds' definitions forbid out (JSON): kinds of Google and the Gateway API.
import { readFileSync } from "node:fs";
import { ComputeClass } from "@kubernetes-models/gke/cloud.google.com/v1";
import { GCPBackendPolicy, GCPGatewayPolicy, HealthCheckPolicy } from "@kubernetes-models/gke/networking.gke.io/v1";
import { Gateway, HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1";

const kinds = { ComputeClass, GCPBackendPolicy, GCPGatewayPolicy, HealthCheckPolicy, Gateway, HTTPRoute };
const answer = { checked: 0, problems: [] };
for (const manifest of JSON.parse(readFileSync(0, "utf8"))) {
  const kind = kinds[manifest.kind];
  if (!kind?.is(manifest)) continue;
  answer.checked += 1;
  try {
    new kind(manifest).validate();
  } catch (error) {
    answer.problems.push(`${manifest.kind} ${manifest.metadata.name}: ${error.message}`);
  }
}
console.log(JSON.stringify(answer));
