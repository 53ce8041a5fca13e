terraform {
  required_version = ">= 1.11" # the tests mock what only Google knows while planning

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }

  # The bucket is named at `terraform init`: docs/operations.md, "Provision".
  backend "gcs" {
    prefix = "tandem"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  default_labels = { app = "tandem" }
}

data "google_project" "this" {
  project_id = var.project_id
}
