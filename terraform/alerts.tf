# What somebody is told of. Each alert's name is a heading of docs/operations.md that says what it means and what to do.

locals {
  alerts = merge({
    TandemDown = {
      severity = "CRITICAL"
      after    = "5m"
      says     = "No process of the bot is there to answer anybody."
      query    = "absent(tandem_turns_in_flight)"
    }
    EventsNotTaken = {
      severity = "CRITICAL"
      after    = "5m"
      says     = "The store does not take questions; Slack sends them again, for a while."
      query    = "sum(increase(tandem_events_total{fate=\"not_taken\"}[10m])) > 5"
    }
    SlowAcknowledgements = {
      severity = "ERROR"
      after    = "5m"
      says     = "Events are acknowledged so slowly that Slack soon takes them for lost."
      query    = "histogram_quantile(0.99, sum by (le) (rate(tandem_accept_to_ack_seconds_bucket[10m]))) > 1.5"
    }
    QuestionsFailing = {
      severity = "ERROR"
      after    = "5m"
      says     = "More than one question in twenty ends in an apology."
      query    = "sum(increase(tandem_turns_total{outcome=~\"failed|dead\"}[15m])) > 5 and sum(increase(tandem_turns_total{outcome=~\"failed|dead\"}[15m])) / sum(increase(tandem_turns_total[15m])) > 0.05"
    }
    QuestionsGivenUp = {
      severity = "ERROR"
      after    = "0m"
      says     = "A question was tried as often as it may be, and has no answer."
      query    = "sum(increase(tandem_turns_total{outcome=\"dead\"}[15m])) > 0"
    }
    SlowFirstText = {
      severity = "WARNING"
      after    = "10m"
      says     = "People wait more than 20 seconds for the first words of an answer."
      query    = "histogram_quantile(0.95, sum by (le, model) (rate(tandem_time_to_first_text_seconds_bucket[10m]))) > 20"
    }
    QuestionsWaiting = {
      severity = "WARNING"
      after    = "5m"
      says     = "Questions wait for a process that has room for them."
      query    = "sum(tandem_turns_waiting) > 20"
    }
    SlackRateLimited = {
      severity = "WARNING"
      after    = "10m"
      says     = "Slack refuses calls because there are too many."
      query    = "sum by (method) (rate(tandem_slack_rate_limited_total[10m])) > 0.1"
    }
    SlackFailing = {
      severity = "ERROR"
      after    = "5m"
      says     = "One call of Slack in twenty is not answered."
      query    = "sum(increase(tandem_slack_calls_total{outcome=\"unavailable\"}[10m])) / sum(increase(tandem_slack_calls_total[10m])) > 0.05"
    }
    StoreFailing = {
      severity = "ERROR"
      after    = "5m"
      says     = "One call of the store in a hundred is not answered."
      query    = "sum(increase(tandem_store_calls_total{outcome=\"unavailable\"}[10m])) / sum(increase(tandem_store_calls_total[10m])) > 0.01"
    }
    StoreSlow = {
      severity = "WARNING"
      after    = "10m"
      says     = "The store needs half of the time in which an event must be acknowledged."
      query    = "histogram_quantile(0.95, sum by (le) (rate(tandem_store_call_seconds_bucket{operation=\"accept\"}[10m]))) > 0.75"
    }
    ModelResting = {
      severity = "ERROR"
      after    = "2m"
      says     = "A model fails so often that it is not asked for the moment."
      query    = "max by (model) (tandem_breaker_open) > 0"
    }
    SpendingFast = {
      severity = "WARNING"
      after    = "0m"
      says     = "Managed models cost more in a day than was planned."
      query    = "sum(increase(tandem_cost_usd_total[1d])) > ${var.daily_budget_usd}"
    }
    }, local.http ? {} : {
    SocketDown = {
      severity = "CRITICAL"
      after    = "3m"
      says     = "No process of the bot is connected to Slack."
      query    = "max(tandem_sockets_connected) < 1"
    }
    }, var.gemma ? {
    GemmaDown = {
      severity = "ERROR"
      after    = "45m"
      says     = "No server of Gemma has been there for three quarters of an hour, longer than one takes to start."
      query    = "absent({\"__name__\"=\"vllm:num_requests_running\"})"
    }
    GemmaQueue = {
      severity = "WARNING"
      after    = "5m"
      says     = "Requests wait for Gemma's GPUs."
      query    = "max({\"__name__\"=\"vllm:num_requests_waiting\"}) > 8"
    }
  } : {})
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  display_name = each.value
  type         = "email"
  labels       = { email_address = each.value }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = each.key
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = values(google_monitoring_notification_channel.email)[*].id

  conditions {
    display_name = each.value.says

    condition_prometheus_query_language {
      rule_group                = "tandem"
      alert_rule                = each.key
      query                     = each.value.query
      duration                  = "${trimsuffix(each.value.after, "m") * 60}s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # the first pod, which exports them, comes after this
    }
  }

  alert_strategy {
    auto_close = "1800s"
  }

  documentation {
    subject   = "Tandem: ${each.value.says}"
    mime_type = "text/markdown"
    content   = "${each.value.says} What to do: docs/operations.md#${lower(each.key)}"
  }

  depends_on = [google_project_service.this]
}
