import assert from "node:assert/strict";
import { createMetrics } from "../../cli/metrics.js";
import { queueMetrics } from "../../controllers/metrics.js";

describe("metrics", () => {
  it("a queue's series exist at zero from the start, those of two queues under one name", async () => {
    const metrics = createMetrics();
    const first = queueMetrics(metrics, "service");
    queueMetrics(metrics, "task");
    const zero = await metrics.text();
    for (const line of [
      "# TYPE davit_queue_depth gauge",
      'davit_queue_depth{controller="service"} 0',
      'davit_queue_depth{controller="task"} 0',
      'davit_reconciles_total{controller="task",result="failed"} 0',
      'davit_queue_wait_seconds_count{controller="service"} 0',
      'davit_reconcile_seconds_bucket{le="+Inf",controller="task"} 0',
    ])
      assert.ok(zero.split("\n").includes(line), `${line} is not in\n${zero}`);

    first.depth(3);
    first.waited(20);
    first.worked(2, "again");
    const counted = await metrics.text();
    for (const line of [
      'davit_queue_depth{controller="service"} 3',
      'davit_queue_depth{controller="task"} 0',
      'davit_queue_wait_seconds_bucket{le="0.01",controller="service"} 0',
      'davit_queue_wait_seconds_bucket{le="0.05",controller="service"} 1',
      'davit_reconcile_seconds_sum{controller="service"} 0.002',
      'davit_reconciles_total{controller="service",result="again"} 1',
    ])
      assert.ok(counted.split("\n").includes(line), `${line} is not in\n${counted}`);
  });
});
