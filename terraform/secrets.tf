# Secrets are made here and filled by hand (docs/operations.md, "Provision"): no value is ever in Terraform's state.

locals {
  secret_readers = merge({
    "tandem-slack-bot-token"      = ["bot"]
    "tandem-slack-app-token"      = ["bot"]
    "tandem-slack-signing-secret" = ["bot"]
    "tandem-gemma-key"            = ["bot", "gemma"] # Gemma's server asks for it, the bot shows it
  }, var.hugging_face_token ? { "tandem-hf-token" = ["weights"] } : {})

  secret_grants = merge([
    for secret, readers in local.secret_readers :
    { for reader in readers : "${secret}.${reader}" => { secret = secret, reader = reader } }
  ]...)
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secret_readers

  secret_id           = each.key
  deletion_protection = var.deletion_protection

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secret_grants

  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.principals[each.value.reader]

  depends_on = [google_container_cluster.tandem] # which brings the identities
}
