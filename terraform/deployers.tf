# People who ship with `make deploy --only bot` or `gemma` and do not own the project. What `terraform apply` changes is
# closed to them, and Secret Manager shows them no value. But whoever decides what the pods run can have it read what the
# pods read: name nobody whom you would not show the secrets.

locals {
  deployers_of_the_project = {
    for pair in setproduct(var.deployers, [
      "browser",                  # see that the project is there and paid for
      "cloudbuild.builds.editor", # start builds
      "container.developer",      # change what runs in the cluster
      "secretmanager.viewer",     # see whether a secret has been filled, not with what
      "storage.bucketViewer",     # Skaffold looks for its bucket among all
    ]) : join(" ", pair) => { member = pair[0], role = "roles/${pair[1]}" }
  }

  deployers_of_buckets = {
    for triple in setproduct(var.deployers, [
      [google_storage_bucket.build.name, "objectUser"],     # sources to build
      [google_storage_bucket.weights.name, "objectViewer"], # whether weights are there
      ["${var.project_id}-tandem-state", "objectViewer"],   # this configuration's outputs
    ]) : join(" ", flatten(triple)) => { member = triple[0], bucket = triple[1][0], role = "roles/storage.${triple[1][1]}" }
  }
}

resource "google_project_iam_member" "deployers" {
  for_each = local.deployers_of_the_project

  project = var.project_id
  role    = each.value.role
  member  = each.value.member

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_iam_member" "deployers" {
  for_each = local.deployers_of_buckets

  bucket = each.value.bucket
  role   = each.value.role
  member = each.value.member
}

resource "google_artifact_registry_repository_iam_member" "deployers" {
  for_each = toset(var.deployers)

  location   = google_artifact_registry_repository.tandem.location
  repository = google_artifact_registry_repository.tandem.repository_id
  role       = "roles/artifactregistry.reader"
  member     = each.value
}

resource "google_service_account_iam_member" "deployers" {
  for_each = toset(var.deployers)

  service_account_id = google_service_account.build.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}
