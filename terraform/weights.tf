# Gemma's weights, copied here once: a server that starts reads them at the speed of its own region.
resource "google_storage_bucket" "weights" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs say who reads and writes.
  #checkov:skip=CKV_GCP_78:What is lost is copied again from where it came from; it is 24 GB each time.

  name                        = "${var.project_id}-tandem-weights"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  depends_on = [google_project_service.this]
}
