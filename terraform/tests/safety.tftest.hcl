# What holds for people who rely on it. `terraform test`, with or without a Google account.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id = "example-project"
}

run "nothing_is_deleted_by_accident" {
  command = plan

  assert {
    condition     = google_container_cluster.tandem.deletion_protection
    error_message = "The cluster can be destroyed."
  }

  assert {
    condition     = google_firestore_database.tandem.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.tandem.deletion_policy == "PREVENT"
    error_message = "The threads can be destroyed."
  }

  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.this : secret.deletion_protection])
    error_message = "A secret can be destroyed."
  }

  assert {
    condition     = !google_storage_bucket.weights.force_destroy
    error_message = "The weights can be destroyed."
  }
}

run "threads_can_be_brought_back" {
  command = plan

  assert {
    condition     = google_firestore_database.tandem.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "There is no way back to a minute ago."
  }

  assert {
    condition     = one(google_firestore_backup_schedule.daily[*].retention) == "1209600s"
    error_message = "There is no backup of each of the last 14 days."
  }
}

run "everything_of_the_mirror_is_in_its_own_database" {
  command = plan

  assert {
    condition = alltrue([
      for thing in concat(
        values(google_firestore_index.this), values(google_firestore_field.expiring),
        values(google_firestore_field.unindexed), values(google_firestore_field.across_threads),
        google_firestore_backup_schedule.daily,
      ) : thing.database == "tandem"
    ])
    error_message = "Something is made in the project's (default) database."
  }

  assert {
    condition     = google_firestore_database.tandem.location_id == "europe-west4"
    error_message = "Threads are stored elsewhere than the bot runs, although nobody asked for it."
  }
}

run "the_cluster_has_no_public_address" {
  command = plan

  assert {
    condition     = google_container_cluster.tandem.enable_autopilot && google_container_cluster.tandem.private_cluster_config[0].enable_private_nodes
    error_message = "Nodes have public addresses."
  }

  assert {
    condition     = !google_container_cluster.tandem.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled
    error_message = "The control plane has an address of its own."
  }

  assert {
    condition     = google_container_cluster.tandem.network == google_compute_network.tandem.id
    error_message = "The cluster is in the project's default network."
  }

  assert {
    condition     = google_container_cluster.tandem.secret_manager_config[0].enabled && google_container_cluster.tandem.secret_manager_config[0].rotation_config[0].enabled
    error_message = "New versions of secrets do not reach the pods."
  }

  override_resource {
    target          = google_compute_network.tandem
    override_during = plan
    values          = { id = "projects/example-project/global/networks/tandem" }
  }
}

run "the_bot_reaches_its_own_database_and_no_other" {
  command = plan

  assert {
    condition     = google_project_iam_member.bot_keeps_threads.condition[0].expression == "resource.name == \"projects/example-project/databases/tandem\""
    error_message = "The bot may read other databases of the project."
  }

  assert {
    condition     = google_project_iam_member.bot_keeps_threads.member == "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/example-project.svc.id.goog/subject/ns/tandem/sa/tandem"
    error_message = "The number and the id of the project are not where an identity needs them."
  }

  assert {
    condition     = google_project_iam_custom_role.ask_models.permissions == toset(["aiplatform.endpoints.predict"])
    error_message = "The bot may do more at Vertex AI than ask models."
  }
}

run "images_that_may_be_rolled_back_to_are_kept" {
  command = plan

  assert {
    condition = anytrue([
      for policy in google_artifact_registry_repository.tandem.cleanup_policies :
      policy.action == "KEEP" && try(policy.most_recent_versions[0].keep_count, 0) >= 20
    ]) && !google_artifact_registry_repository.tandem.cleanup_policy_dry_run
    error_message = "Old images are kept for ever, or young ones are not."
  }
}
