# Who may do what. Pods act as their Kubernetes service account, with no key and no Google service account in between;
# the pool of these identities comes with the cluster.

locals {
  pool = "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${var.project_id}.svc.id.goog"

  principals = {
    bot     = "${local.pool}/subject/ns/tandem/sa/tandem"
    gemma   = "${local.pool}/subject/ns/tandem/sa/gemma"
    weights = "${local.pool}/subject/ns/tandem/sa/weights" # copies weights into the bucket, once for each model
  }
}

# Asking a model and counting tokens, of all that roles/aiplatform.user may do.
resource "google_project_iam_custom_role" "ask_models" {
  role_id     = "tandemAskModels"
  title       = "Tandem: ask models of Vertex AI"
  permissions = ["aiplatform.endpoints.predict"]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "bot_asks_models" {
  project = var.project_id
  role    = google_project_iam_custom_role.ask_models.id
  member  = local.principals.bot

  depends_on = [google_container_cluster.tandem]
}

resource "google_project_iam_member" "bot_keeps_threads" {
  project = var.project_id
  role    = "roles/datastore.user"
  member  = local.principals.bot

  condition {
    title      = "only the database of Tandem"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.tandem.name}\""
  }

  depends_on = [google_container_cluster.tandem]
}

resource "google_storage_bucket_iam_member" "gemma_reads_weights" {
  bucket = google_storage_bucket.weights.name
  role   = "roles/storage.objectViewer"
  member = local.principals.gemma

  depends_on = [google_container_cluster.tandem]
}

resource "google_storage_bucket_iam_member" "weights_are_written" {
  bucket = google_storage_bucket.weights.name
  role   = "roles/storage.objectUser"
  member = local.principals.weights

  depends_on = [google_container_cluster.tandem]
}
