"""Everything that terraform, Kubernetes, Skaffold and the code have to agree on."""

from collections.abc import Callable, Iterator

from tests.infra import agreements_on_access, agreements_on_code, agreements_on_traffic
from tests.infra.world import World

Agreement = Callable[[World], Iterator[str]]

AGREEMENTS: tuple[Agreement, ...] = (
    agreements_on_access.identities_are_those_that_run,
    agreements_on_access.the_database_is_one,
    agreements_on_access.nobody_rules_the_project,
    agreements_on_access.secrets_are_those_that_are_made,
    agreements_on_access.each_pod_may_read_its_secrets_and_no_other,
    agreements_on_access.weights_are_read_where_they_are_written,
    agreements_on_traffic.the_bots_ports_are_its_settings,
    agreements_on_traffic.gemma_is_reached_where_it_listens,
    agreements_on_traffic.paths_are_served,
    agreements_on_traffic.names_of_http_mode_are_those_that_are_made,
    agreements_on_traffic.the_cluster_brings_what_is_used,
    agreements_on_code.settings_are_settings,
    agreements_on_code.the_bot_starts_with_its_settings,
    agreements_on_code.the_stores_queries_have_their_indexes,
    agreements_on_code.what_expires_is_deleted,
    agreements_on_code.metrics_are_exported,
    agreements_on_code.catalogues_fit_their_servers,
    agreements_on_code.images_are_built_and_shipped,
    agreements_on_code.builds_and_deploys_name_what_is_made,
    agreements_on_code.the_projects_values_are_outputs,
)
