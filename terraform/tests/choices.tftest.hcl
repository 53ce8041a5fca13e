# What can be chosen, and what is refused with a sentence before anything is made.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id = "example-project"
}

run "everything_can_be_thrown_away_where_that_is_chosen" {
  command = plan

  variables {
    deletion_protection    = false
    point_in_time_recovery = false
    backup_days            = 0
  }

  assert {
    condition     = !google_container_cluster.tandem.deletion_protection && google_firestore_database.tandem.deletion_policy == "DELETE" && google_storage_bucket.weights.force_destroy
    error_message = "Something would be left behind."
  }

  assert {
    condition     = length(google_firestore_backup_schedule.daily) == 0
    error_message = "There are backups that nobody wants."
  }
}

run "threads_may_stay_elsewhere" {
  command = plan

  variables {
    region             = "us-central1"
    firestore_location = "eur3"
  }

  assert {
    condition     = google_container_cluster.tandem.location == "us-central1" && google_firestore_database.tandem.location_id == "eur3"
    error_message = "The threads would move with the bot."
  }
}

run "without_gemma_there_is_no_alert_about_it" {
  command = plan

  variables {
    gemma              = false
    hugging_face_token = false
    daily_budget_usd   = 7
  }

  assert {
    condition     = length([for name in keys(google_monitoring_alert_policy.this) : name if startswith(name, "Gemma")]) == 0
    error_message = "There is an alert about a server that does not exist."
  }

  assert {
    condition     = !strcontains(google_monitoring_dashboard.tandem.dashboard_json, "vllm:")
    error_message = "The dashboard shows a server that does not exist."
  }

  assert {
    condition     = !contains(keys(google_secret_manager_secret.this), "tandem-hf-token")
    error_message = "There is a secret for nothing."
  }

  assert {
    condition     = endswith(google_monitoring_alert_policy.this["SpendingFast"].conditions[0].condition_prometheus_query_language[0].query, "> 7")
    error_message = "The budget is not the chosen one."
  }
}

run "people_are_told_and_may_ship" {
  command = plan

  variables {
    alert_emails = ["on-call@example.com"]
    deployers    = ["group:bots@example.com"]
  }

  assert {
    condition     = google_monitoring_notification_channel.email["on-call@example.com"].labels.email_address == "on-call@example.com"
    error_message = "Nobody is written to."
  }

  assert {
    condition     = google_service_account_iam_member.deployers["group:bots@example.com"].role == "roles/iam.serviceAccountUser"
    error_message = "They cannot start a build."
  }

  assert {
    condition = sort([for grant in google_project_iam_member.deployers : grant.role]) == tolist([
      "roles/browser", "roles/cloudbuild.builds.editor", "roles/container.developer",
      "roles/secretmanager.viewer", "roles/storage.bucketViewer",
    ])
    error_message = "They may do more, or less, than build and ship."
  }

  assert {
    condition = sort([for grant in google_storage_bucket_iam_member.deployers : "${grant.bucket} ${grant.role}"]) == tolist([
      "example-project-tandem-state roles/storage.objectViewer",
      "example-project-tandem-weights roles/storage.objectViewer",
      "example-project_cloudbuild roles/storage.objectUser",
    ])
    error_message = "They may not upload sources, or change weights or Terraform's state."
  }
}

run "a_projects_name_is_not_its_id" {
  command = plan
  variables {
    project_id = "My Project"
  }
  expect_failures = [var.project_id]
}

run "a_projects_number_is_not_its_id" {
  command = plan
  variables {
    project_id = "123456789012"
  }
  expect_failures = [var.project_id]
}

run "a_zone_is_not_a_region" {
  command = plan
  variables {
    region = "europe-west4-a"
  }
  expect_failures = [var.region]
}

run "a_region_must_exist" {
  command = plan
  variables {
    region = "europe-west5"
  }
  expect_failures = [var.region]
}

run "threads_need_a_place_that_exists" {
  command = plan
  variables {
    firestore_location = "europe"
  }
  expect_failures = [var.firestore_location]
}

run "a_url_is_not_a_hostname" {
  command = plan
  variables {
    hostname = "https://tandem.example.com"
  }
  expect_failures = [var.hostname]
}

run "a_hostname_is_a_full_one" {
  command = plan
  variables {
    hostname = "tandem"
  }
  expect_failures = [var.hostname]
}

run "firestore_keeps_no_backup_that_long" {
  command = plan
  variables {
    backup_days = 99
  }
  expect_failures = [var.backup_days]
}

run "an_address_needs_its_host" {
  command = plan
  variables {
    alert_emails = ["on-call"]
  }
  expect_failures = [var.alert_emails]
}

run "a_deployer_says_what_it_is" {
  command = plan
  variables {
    deployers = ["bots@example.com"]
  }
  expect_failures = [var.deployers]
}

run "a_budget_of_nothing_alarms_always" {
  command = plan
  variables {
    daily_budget_usd = 0
  }
  expect_failures = [var.daily_budget_usd]
}

run "a_release_channel_must_exist" {
  command = plan
  variables {
    release_channel = "EXTENDED"
  }
  expect_failures = [var.release_channel]
}
