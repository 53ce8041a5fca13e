# Socket Mode opens nothing to the internet; with a hostname there is one way in, for one path.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_certificate_manager_dns_authorization" {
    override_during = plan
    defaults = {
      dns_resource_record = [{ name = "_acme.tandem.example.com.", type = "CNAME", data = "authorize.example." }]
    }
  }
  mock_resource "google_compute_global_address" {
    override_during = plan
    defaults        = { address = "203.0.113.7" }
  }
}

variables {
  project_id = "example-project"
}

run "socket_mode_opens_nothing" {
  command = plan

  assert {
    condition     = length(google_compute_global_address.tandem) + length(google_certificate_manager_certificate_map.tandem) + length(google_compute_security_policy.tandem) == 0
    error_message = "Something is public although no hostname was given."
  }

  assert {
    condition     = !contains(keys(google_project_service.this), "certificatemanager.googleapis.com")
    error_message = "An API is enabled that nothing needs."
  }

  assert {
    condition     = contains(keys(google_monitoring_alert_policy.this), "SocketDown")
    error_message = "Nobody is told when the bot loses Slack."
  }

  assert {
    condition     = output.gateway_address_name == "" && output.dns_records == []
    error_message = "An output names something that does not exist."
  }
}

run "a_hostname_opens_one_way" {
  command = plan

  variables {
    hostname = "tandem.example.com"
  }

  assert {
    condition     = output.gateway_address_name == "tandem" && output.certificate_map == "tandem" && output.security_policy == "tandem" && output.ssl_policy == "tandem"
    error_message = "The Gateway would look for these under other names."
  }

  assert {
    condition     = output.dns_records == ["tandem.example.com. A 203.0.113.7", "_acme.tandem.example.com. CNAME authorize.example."]
    error_message = "The records for the DNS are not complete."
  }

  assert {
    condition     = google_certificate_manager_certificate.tandem[0].managed[0].domains == tolist(["tandem.example.com"])
    error_message = "The certificate is for another name."
  }

  assert {
    condition = anytrue([
      for rule in google_compute_security_policy.tandem[0].rule :
      rule.priority == 2147483647 && startswith(rule.action, "deny")
    ])
    error_message = "What is no event of Slack is let in."
  }

  assert {
    condition     = !contains(keys(google_monitoring_alert_policy.this), "SocketDown")
    error_message = "There is an alert about sockets, and there are no sockets."
  }
}
