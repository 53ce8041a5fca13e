# One page that shows whether people get their answers, and if not, which part it is.

locals {
  charts = concat([
    { title = "Questions a minute, by outcome", unit = "1/min", queries = { "$${outcome}" = "sum by (outcome) (rate(tandem_turns_total[5m])) * 60" } },
    { title = "Questions a minute, by model", unit = "1/min", queries = { "$${model}" = "sum by (model) (rate(tandem_turns_total[5m])) * 60" } },
    { title = "Questions now", unit = "1", queries = { running = "sum(tandem_turns_in_flight)", waiting = "sum(tandem_turns_waiting)" } },
    { title = "Until the first text (median and 95 %)", unit = "s", queries = {
      "$${model} 50 %" = "histogram_quantile(0.5, sum by (le, model) (rate(tandem_time_to_first_text_seconds_bucket[5m])))"
      "$${model} 95 %" = "histogram_quantile(0.95, sum by (le, model) (rate(tandem_time_to_first_text_seconds_bucket[5m])))"
    } },
    { title = "Until the acknowledgement (median and 99 %)", unit = "s", queries = {
      "50 %" = "histogram_quantile(0.5, sum by (le) (rate(tandem_accept_to_ack_seconds_bucket[5m])))"
      "99 %" = "histogram_quantile(0.99, sum by (le) (rate(tandem_accept_to_ack_seconds_bucket[5m])))"
    } },
    { title = "Events a minute, by fate", unit = "1/min", queries = { "$${fate}" = "sum by (fate) (rate(tandem_events_total[5m])) * 60" } },
    { title = "Calls of Slack a minute, by outcome", unit = "1/min", queries = { "$${outcome}" = "sum by (outcome) (rate(tandem_slack_calls_total[5m])) * 60" } },
    { title = "Refused by Slack's limits, a minute", unit = "1/min", queries = { "$${method}" = "sum by (method) (rate(tandem_slack_rate_limited_total[5m])) * 60" } },
    { title = "Connected to Slack (Socket Mode)", unit = "1", queries = { sockets = "sum(tandem_sockets_connected)" } },
    { title = "Calls of the store a minute that failed", unit = "1/min", queries = { "$${operation} $${outcome}" = "sum by (operation, outcome) (rate(tandem_store_calls_total{outcome!=\"ok\"}[5m])) * 60" } },
    { title = "Calls of the store (95 %)", unit = "s", queries = { "$${operation}" = "histogram_quantile(0.95, sum by (le, operation) (rate(tandem_store_call_seconds_bucket[5m])))" } },
    { title = "Models that rest", unit = "1", queries = { "$${model}" = "max by (model) (tandem_breaker_open)" } },
    { title = "Tokens a minute", unit = "1/min", queries = { "$${model} $${kind}" = "sum by (model, kind) (rate(tandem_tokens_total[5m])) * 60" } },
    { title = "US dollars in the last 24 hours", unit = "1", queries = { "$${model}" = "sum by (model) (increase(tandem_cost_usd_total[1d]))" } },
    { title = "Memory of each process", unit = "By", queries = { "$${pod}" = "process_resident_memory_bytes{namespace=\"tandem\"}" } },
    ], var.gemma ? [
    { title = "Requests at Gemma", unit = "1", queries = {
      running = "sum({\"__name__\"=\"vllm:num_requests_running\"})"
      waiting = "sum({\"__name__\"=\"vllm:num_requests_waiting\"})"
    } },
    { title = "Gemma's cache in use", unit = "10^2.%", queries = { "$${pod}" = "{\"__name__\"=\"vllm:kv_cache_usage_perc\"}" } },
  ] : [])
}

resource "google_monitoring_dashboard" "tandem" {
  dashboard_json = jsonencode({
    displayName = "Tandem"
    mosaicLayout = {
      columns = 48
      tiles = [for index, chart in local.charts : {
        xPos   = index % 3 * 16
        yPos   = floor(index / 3) * 12
        width  = 16
        height = 12
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [for legend, query in chart.queries : {
              plotType           = "LINE"
              legendTemplate     = legend
              minAlignmentPeriod = "60s"
              timeSeriesQuery = {
                prometheusQuery = query
                unitOverride    = chart.unit
              }
            }]
            yAxis = { scale = "LINEAR" }
          }
        }
      }]
    }
  })

  depends_on = [google_project_service.this]
}
