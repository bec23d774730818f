// What the processes count, as Prometheus reads it. Of prom-client only the parts that are used are loaded: the whole,
// with its default metrics and its cluster, costs ten MiB resident.
import { createRequire } from "node:module";
import type { Registry } from "prom-client";
import type { Meter } from "../controllers/metrics.js";

type PromClient = typeof import("prom-client");

export interface Metrics extends Meter {
  /** All series, in Prometheus' text format. */
  text(): Promise<string>;
}

/** From what a clock of whole milliseconds can tell to an outage's minutes. */
const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120];

/** Every series that is asked for exists at once, at zero. */
export function createMetrics(): Metrics {
  const { Counter, Gauge, Histogram, registry } = load();
  /** Series of one name share a metric, which the first of them makes. */
  const known = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make();
  const options = (name: string, help: string, labels: Record<string, string>) => ({
    name,
    help,
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  return {
    gauge(name, help, labels) {
      const series = known(name, () => new Gauge(options(name, help, labels))).labels(labels);
      series.set(0);
      return series;
    },
    counter(name, help, labels) {
      const series = known(name, () => new Counter(options(name, help, labels))).labels(labels);
      series.inc(0);
      return series;
    },
    histogram(name, help, labels) {
      const make = () => new Histogram({ ...options(name, help, labels), buckets: BUCKETS_SECONDS });
      const metric = known(name, make);
      metric.zero(labels);
      return metric.labels(labels);
    },
    text: () => registry.metrics(),
  };
}

function load(): Pick<PromClient, "Counter" | "Gauge" | "Histogram"> & { registry: Registry } {
  const require = createRequire(import.meta.url);
  const part = <Name extends keyof PromClient>(name: Name): PromClient[Name] =>
    require(`prom-client/lib/${name.toLowerCase()}.js`) as PromClient[Name];
  const Registry = part("Registry");
  return {
    Counter: part("Counter"),
    Gauge: part("Gauge"),
    Histogram: part("Histogram"),
    registry: new Registry(),
  };
}
