import type { ValidateResult } from "../../flow/validate.ts";

interface Metric {
  name: string;
  help: string;
  samples: readonly { labels: Readonly<Record<string, string>>; value: number }[];
}

/** A textfile for Prometheus's node exporter. @param time when it was judged, in milliseconds since 1970 */
export function metricsOf({ frameworks }: ValidateResult, time: number): string {
  const probes = frameworks.flatMap(({ name, probes: all }) =>
    all.map(({ id, service, outcome, ms }) => ({ labels: { framework: name, service, probe: id }, outcome, ms })),
  );
  const metrics: Metric[] = [
    {
      name: "framework_infra_validate_timestamp_seconds",
      help: "When validate last ran.",
      samples: [{ labels: {}, value: Math.floor(time / 1000) }],
    },
    {
      name: "framework_infra_findings",
      help: "How many findings there are.",
      samples: frameworks.flatMap(({ name, findings }) =>
        (["fail", "unknown", "waived"] as const).map((outcome) => ({
          labels: { framework: name, outcome },
          value: findings.filter((finding) => finding.outcome === outcome).length,
        })),
      ),
    },
    {
      name: "framework_infra_probe_passed",
      help: "1 for a probe that passed, 0 for one that failed or could not be asked.",
      samples: probes.map(({ labels, outcome }) => ({ labels, value: outcome === "pass" ? 1 : 0 })),
    },
    {
      name: "framework_infra_probe_asked",
      help: "0 for a probe that could not be asked.",
      samples: probes.map(({ labels, outcome }) => ({ labels, value: outcome === "unknown" ? 0 : 1 })),
    },
    {
      name: "framework_infra_probe_seconds",
      help: "How long a probe took.",
      samples: probes.map(({ labels, ms }) => ({ labels, value: ms / 1000 })),
    },
  ];
  const quantiles = frameworks.flatMap(({ name, measured }) =>
    (measured?.measures ?? []).flatMap(({ id, service, p50, p95 }) =>
      [
        { quantile: "0.5", figure: p50 },
        { quantile: "0.95", figure: p95 },
      ].map(({ quantile, figure }) => ({
        labels: { framework: name, service, measure: id, quantile },
        value: figure.median / 1000,
      })),
    ),
  );
  metrics.push({ name: "framework_infra_latency_seconds", help: "How long one thing took.", samples: quantiles });
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} gauge`,
        ...samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${String(value)}`),
        "",
      ].join("\n"),
    )
    .join("");
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
