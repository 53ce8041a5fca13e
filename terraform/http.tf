# The way in when Slack sends events over HTTP. In Socket Mode there is none of it: the bot calls Slack.

locals {
  http = var.hostname != ""
  ways = local.http ? 1 : 0
}

resource "google_compute_global_address" "tandem" {
  count = local.ways

  name = "tandem"

  depends_on = [google_project_service.this]
}

# The certificate is issued once the record of output dns_records is there, before any traffic comes.
resource "google_certificate_manager_dns_authorization" "tandem" {
  count = local.ways

  name   = "tandem"
  domain = var.hostname

  depends_on = [google_project_service.this]
}

resource "google_certificate_manager_certificate" "tandem" {
  count = local.ways

  name = "tandem"

  managed {
    domains            = [var.hostname]
    dns_authorizations = google_certificate_manager_dns_authorization.tandem[*].id
  }
}

resource "google_certificate_manager_certificate_map" "tandem" {
  count = local.ways

  name = "tandem"

  depends_on = [google_project_service.this]
}

resource "google_certificate_manager_certificate_map_entry" "tandem" {
  count = local.ways

  name         = "tandem"
  map          = google_certificate_manager_certificate_map.tandem[0].name
  hostname     = var.hostname
  certificates = google_certificate_manager_certificate.tandem[*].id
}

resource "google_compute_ssl_policy" "tandem" {
  count = local.ways

  name            = "tandem"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.this]
}

# No rule reads the body: people in Slack may well write about attacks, and a refused event is a lost question.
resource "google_compute_security_policy" "tandem" {
  #checkov:skip=CKV_GCP_73:The rule for Log4j reads bodies, and nothing here is written in Java.

  count = local.ways

  name        = "tandem"
  description = "Tandem: events of Slack, and nothing else"

  # Slack sends up to 30,000 events an hour for each workspace, from few addresses; this is ten such workspaces at one.
  rule {
    priority    = 1000
    description = "Events, as many as Slack may send"
    action      = "throttle"

    match {
      expr {
        expression = "request.method == 'POST' && request.path == '/slack/events'"
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = 5000
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    description = "Everything else"
    action      = "deny(404)"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.this]
}
