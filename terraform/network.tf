# Nodes have no public address; what they call in the internet (Slack, Hugging Face), they call through NAT.

resource "google_compute_network" "tandem" {
  #checkov:skip=CKV2_GCP_18:Nothing comes in unless a rule lets it in, and GKE makes the rules that it needs.

  name                    = "tandem"
  auto_create_subnetworks = false

  depends_on = [google_project_service.this]
}

resource "google_compute_subnetwork" "tandem" {
  name                     = "tandem"
  region                   = var.region
  network                  = google_compute_network.tandem.id
  ip_cidr_range            = "10.0.0.0/20"
  private_ip_google_access = true # Firestore, Vertex AI and the buckets are reached without NAT

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.4.0.0/16"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.8.0.0/20"
  }

  # Enough to see who talked to whom, and cheap.
  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_router" "tandem" {
  name    = "tandem"
  region  = var.region
  network = google_compute_network.tandem.id
}

resource "google_compute_router_nat" "tandem" {
  name                                = "tandem"
  region                              = var.region
  router                              = google_compute_router.tandem.name
  nat_ip_allocate_option              = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat  = "ALL_SUBNETWORKS_ALL_IP_RANGES"
  enable_dynamic_port_allocation      = true # a download of weights takes many connections, a bot takes few
  enable_endpoint_independent_mapping = false

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
