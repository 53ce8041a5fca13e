# The mirror. What its queries need is said by bot/store/indexes.py, and a test compares.

locals {
  indexes = {
    thread  = { collection = "turns", fields = ["thread", "open", "questionTs"] }
    channel = { collection = "turns", fields = ["channel", "open"] }
    sweeper = { collection = "turns", fields = ["open", "at"] }
  }

  # Asked for in all threads at once, to erase a person; each keeps its automatic indexes, too.
  across_threads = {
    messages = ["userId", "askerId"]
  }

  # Never asked for: an index of them would only cost.
  unindexed = {
    messages = ["text", "files", "usage", "name"]
    turns    = ["parts", "nonce"]
    threads  = ["cuts", "lastActivityAt"]
    signals  = ["items"]
  }

  # Documents with an `expireAt` that is over are deleted by Firestore. It rises all the time, so it is in no index.
  expiring = ["threads", "messages", "leases", "turns", "claims", "signals", "users", "channels"]

  unindexed_fields = merge([
    for collection, fields in local.unindexed :
    { for field in fields : "${collection}.${field}" => { collection = collection, field = field } }
  ]...)

  across_threads_fields = merge([
    for collection, fields in local.across_threads :
    { for field in fields : "${collection}.${field}" => { collection = collection, field = field } }
  ]...)
}

resource "google_firestore_database" "tandem" {
  name                              = "tandem"
  location_id                       = var.firestore_location != "" ? var.firestore_location : var.region
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  point_in_time_recovery_enablement = var.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "PREVENT" : "DELETE"

  depends_on = [google_project_service.this]
}

resource "google_firestore_backup_schedule" "daily" {
  count = var.backup_days > 0 ? 1 : 0

  database  = google_firestore_database.tandem.name
  retention = "${var.backup_days * 24 * 60 * 60}s"

  daily_recurrence {}
}

resource "google_firestore_index" "this" {
  for_each = local.indexes

  database    = google_firestore_database.tandem.name
  collection  = each.value.collection
  query_scope = "COLLECTION"

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value
      order      = "ASCENDING"
    }
  }
}

resource "google_firestore_field" "across_threads" {
  for_each = local.across_threads_fields

  database   = google_firestore_database.tandem.name
  collection = each.value.collection
  field      = each.value.field

  index_config {
    indexes {
      order       = "ASCENDING"
      query_scope = "COLLECTION"
    }
    indexes {
      order       = "DESCENDING"
      query_scope = "COLLECTION"
    }
    indexes {
      array_config = "CONTAINS"
      query_scope  = "COLLECTION"
    }
    indexes {
      order       = "ASCENDING"
      query_scope = "COLLECTION_GROUP"
    }
  }
}

resource "google_firestore_field" "unindexed" {
  for_each = local.unindexed_fields

  database   = google_firestore_database.tandem.name
  collection = each.value.collection
  field      = each.value.field

  index_config {} # none at all
}

resource "google_firestore_field" "expiring" {
  for_each = toset(local.expiring)

  database   = google_firestore_database.tandem.name
  collection = each.value
  field      = "expireAt"

  ttl_config {}
  index_config {} # none at all
}
