locals {
  # As of November 2026. A region that is newer than this list is added here.
  regions = [
    "africa-south1",
    "asia-east1", "asia-east2",
    "asia-northeast1", "asia-northeast2", "asia-northeast3",
    "asia-south1", "asia-south2",
    "asia-southeast1", "asia-southeast2", "asia-southeast3",
    "australia-southeast1", "australia-southeast2",
    "europe-central2", "europe-north1", "europe-north2", "europe-southwest1",
    "europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9",
    "europe-west10", "europe-west12",
    "me-central1", "me-central2", "me-west1",
    "northamerica-northeast1", "northamerica-northeast2", "northamerica-south1",
    "southamerica-east1", "southamerica-west1",
    "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4",
  ]
}

variable "project_id" {
  description = "The project's id, as in `gcloud projects list`; neither its name nor its number."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is not the id of a project: 6 to 30 lower-case letters, digits and hyphens, a letter first and no hyphen last. `gcloud projects list` shows the ids."
  }
}

variable "region" {
  description = "Where everything runs and is stored. Gemma's GPUs must exist there: `gcloud compute accelerator-types list --filter=name=nvidia-l4`."
  type        = string
  default     = "europe-west4"

  validation {
    condition     = contains(local.regions, var.region)
    error_message = "region is not a region of Google Cloud such as europe-west4 (a zone such as europe-west4-a is not one). If it is newer than terraform/variables.tf, add it there."
  }
}

variable "firestore_location" {
  description = "Where threads are stored, for good: a region, or a multi-region (eur3, nam5, nam7). Empty: the region above."
  type        = string
  default     = ""

  validation {
    condition     = contains(concat(["", "eur3", "nam5", "nam7"], local.regions), var.firestore_location)
    error_message = "firestore_location is neither a region nor one of Firestore's multi-regions eur3, nam5 and nam7."
  }
}

variable "hostname" {
  description = "The public name of the bot when Slack sends events over HTTP. Empty: Socket Mode, and nothing is public."
  type        = string
  default     = ""

  validation {
    condition     = var.hostname == "" || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.hostname))
    error_message = "hostname is not a full, lower-case host name such as tandem.example.com, without https:// and without a path."
  }
}

variable "gemma" {
  description = "Whether Gemma runs on GPUs in the cluster: then silence from it is an alert."
  type        = bool
  default     = true
}

variable "release_channel" {
  description = "GKE's release channel. The autoscalers of k8s/ need GKE 1.35.1 or newer."
  type        = string
  default     = "REGULAR"

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE"], var.release_channel)
    error_message = "release_channel is not RAPID, REGULAR or STABLE."
  }
}

variable "deletion_protection" {
  description = "Refuse to destroy what cannot be made again: the cluster, the threads, the secrets, the weights."
  type        = bool
  default     = true
}

variable "point_in_time_recovery" {
  description = "Keep every version of the last seven days of threads. Costs storage of its own."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "For how many days a daily backup of all threads is kept; 0: there is none."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_days >= 0 && var.backup_days <= 98 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days is not a whole number of days from 0 (no backups) to 98, the longest that Firestore keeps one."
  }
}

variable "hugging_face_token" {
  description = "Make a secret for a token of Hugging Face, which Gemma 3's weights ask for."
  type        = bool
  default     = true
}

variable "alert_emails" {
  description = "Who is written to when something is wrong."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alert_emails has something in it that is no e-mail address."
  }
}

variable "daily_budget_usd" {
  description = "What managed models may cost on one day, by the catalogue's prices, before somebody is told."
  type        = number
  default     = 50

  validation {
    condition     = var.daily_budget_usd > 0
    error_message = "daily_budget_usd is not more than 0."
  }
}

variable "deployers" {
  description = "Who may build and ship without owning the project, such as group:bots@example.com: deployers.tf."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.deployers : can(regex("^(user|group|serviceAccount|principal|principalSet):\\S+$", member))])
    error_message = "deployers has something in it that does not begin with user:, group:, serviceAccount:, principal: or principalSet:."
  }
}
