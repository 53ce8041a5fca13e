resource "google_service_account" "nodes" {
  account_id   = "tandem-nodes"
  display_name = "Tandem: the cluster's nodes"

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "nodes" {
  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount" # logs, metrics, and nothing else
  member  = google_service_account.nodes.member
}

resource "google_container_cluster" "tandem" {
  #checkov:skip=CKV_GCP_12:Autopilot enforces network policies always.
  #checkov:skip=CKV_GCP_13:Client certificates are off unless asked for.
  #checkov:skip=CKV_GCP_20:The control plane has no address of its own (ip_endpoints_config); its DNS name asks IAM.
  #checkov:skip=CKV_GCP_21:The provider's default_labels label it.
  #checkov:skip=CKV_GCP_61:The subnetwork logs its flows; Autopilot decides what nodes show.
  #checkov:skip=CKV_GCP_65:People get their rights from IAM; groups in Kubernetes would need a domain of Google Workspace.
  #checkov:skip=CKV_GCP_66:What is deployed is named by digest; who may deploy is decided by IAM.
  #checkov:skip=CKV_GCP_69:Autopilot's nodes have GKE's metadata server always.

  name                = "tandem"
  location            = var.region
  enable_autopilot    = true
  deletion_protection = var.deletion_protection
  network             = google_compute_network.tandem.id
  subnetwork          = google_compute_subnetwork.tandem.id

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  # One way in: a DNS name whose every caller is asked for by IAM, from wherever it calls.
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  release_channel {
    channel = var.release_channel
  }

  # Nodes are replaced when few people write: at weekends, early in the morning (UTC).
  maintenance_policy {
    recurring_window {
      start_time = "2026-01-03T02:00:00Z"
      end_time   = "2026-01-03T10:00:00Z" # GKE wants at least 48 hours in 32 days; six at a time would be just that
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"] # IAM decides, not scopes
    }
  }

  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }

  # Secrets are files in the pod's memory, and new versions arrive without a restart.
  secret_manager_config {
    enabled = true
    rotation_config {
      enabled           = true
      rotation_interval = "120s"
    }
  }

  # The autoscalers count turns and waiting requests, metrics that GKE reads itself.
  pod_autoscaling {
    hpa_profile = "PERFORMANCE"
  }

  cost_management_config {
    enabled = true
  }

  timeouts {
    create = "45m"
    update = "60m"
    delete = "45m"
  }

  # Nodes that start before these exist can neither log nor pull.
  depends_on = [
    google_compute_router_nat.tandem,
    google_project_iam_member.nodes,
    google_artifact_registry_repository_iam_member.nodes,
  ]
}
