# What builds images, and where they lie.

resource "google_artifact_registry_repository" "tandem" {
  #checkov:skip=CKV_GCP_84:Google's own keys encrypt it; images hold no secrets.

  repository_id          = "tandem"
  description            = "Tandem: the bot and the server of Gemma"
  location               = var.region
  format                 = "DOCKER"
  cleanup_policy_dry_run = false

  # Deployments name digests, so a tag may be written again: a build that broke off is simply repeated.
  docker_config {
    immutable_tags = false
  }

  # A version is kept if any policy keeps it: the last twenty can always be rolled back to.
  cleanup_policies {
    id     = "keep-the-last-twenty"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-untagged-after-a-week"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "7d"
    }
  }

  cleanup_policies {
    id     = "delete-after-ninety-days"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "90d"
    }
  }

  vulnerability_scanning_config {
    enablement_config = "INHERITED" # as the project has chosen
  }

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  location   = google_artifact_registry_repository.tandem.location
  repository = google_artifact_registry_repository.tandem.repository_id
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

resource "google_service_account" "build" {
  account_id   = "tandem-build"
  display_name = "Tandem: Cloud Build"

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = google_artifact_registry_repository.tandem.location
  repository = google_artifact_registry_repository.tandem.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# The name that gcloud and Skaffold look for: the sources of a build, for two weeks.
resource "google_storage_bucket" "build" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs say who reads and writes.
  #checkov:skip=CKV_GCP_78:Sources are in the repository; here they are for one build.

  name                        = "${var.project_id}_cloudbuild"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 14
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.build.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}
