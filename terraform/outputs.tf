# What the next steps read: `make deploy`, skaffold.yaml, k8s/. What belongs to HTTP alone is empty in Socket Mode.

output "project_id" {
  value = var.project_id
}

output "region" {
  value = var.region
}

output "cluster_name" {
  value = google_container_cluster.tandem.name
}

output "get_credentials" {
  description = "The command after which kubectl speaks to the cluster."
  value       = "gcloud container clusters get-credentials ${google_container_cluster.tandem.name} --location ${var.region} --project ${var.project_id} --dns-endpoint"
}

output "image_repository" {
  value = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.tandem.repository_id}"
}

output "cloudbuild_service_account" {
  value = google_service_account.build.email
}

output "cloudbuild_bucket" {
  value = google_storage_bucket.build.name
}

output "weights_bucket" {
  value = google_storage_bucket.weights.name
}

output "firestore_database" {
  value = google_firestore_database.tandem.name
}

output "secret_ids" {
  description = "The secrets to fill, each with `gcloud secrets versions add`."
  value       = sort(keys(google_secret_manager_secret.this))
}

output "bot_principal" {
  value = local.principals.bot
}

output "gemma_principal" {
  value = local.principals.gemma
}

output "hostname" {
  value = var.hostname
}

output "gateway_address_name" {
  value = join("", google_compute_global_address.tandem[*].name)
}

output "certificate_map" {
  value = join("", google_certificate_manager_certificate_map.tandem[*].name)
}

output "security_policy" {
  value = join("", google_compute_security_policy.tandem[*].name)
}

output "ssl_policy" {
  value = join("", google_compute_ssl_policy.tandem[*].name)
}

output "dns_records" {
  description = "What to enter where the domain's DNS is kept."
  value = concat(
    [for address in google_compute_global_address.tandem : "${var.hostname}. A ${address.address}"],
    flatten([
      for authorization in google_certificate_manager_dns_authorization.tandem :
      [for record in authorization.dns_resource_record : "${record.name} ${record.type} ${record.data}"]
    ]),
  )
}
