# Gemma's weights, copied here once: a server that starts reads them at the speed of its own region.
resource "google_storage_bucket" "weights" {
  name                        = "${var.project_id}-tandem-weights"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  depends_on = [google_project_service.this]
}
