"""Terraform, Kubernetes, Skaffold and the code agree, and each agreement notices when one of its sides is changed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.infra.agreements import AGREEMENTS, Agreement
from tests.infra.provider.terraform import Plan
from tests.infra.queries import Query
from tests.infra.spoiling import SpoilableTerraform
from tests.infra.world import Code, World

BOT = "base/deployment.yaml"
ROUTE = "components/http/gateway.yaml"
VLLM = "gemma/vllm/deployment.yaml"


@dataclass(frozen=True)
class InKubernetes:
    """A text of k8s/, and what it becomes."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class InTerraform:
    """A text of terraform/, and what it becomes."""

    file: str
    old: str
    new: str


InCode = Callable[[Code], Code]


def without_variable(name: str) -> InCode:
    """The bot no longer reads this setting."""
    return lambda code: replace(code, variables=code.variables - {name})


def without_metric(name: str) -> InCode:
    """The bot no longer exports this metric."""
    return lambda code: replace(code, metrics={each: code.metrics[each] for each in code.metrics if each != name})


def without_path(path: str) -> InCode:
    """The bot answers no longer there."""
    return lambda code: replace(code, paths=code.paths - {path})


def asking(collection: str, *fields: str, across: bool = False) -> InCode:
    """The store makes one query more."""
    return lambda code: replace(code, queries=(*code.queries, Query(collection, fields, across)))


def expiring(collection: str) -> InCode:
    """The store writes expiring documents of one kind more."""
    return lambda code: replace(code, expiring=code.expiring | {(collection, "expireAt")})


def fitting(component: str, *servers: str) -> InCode:
    """`make deploy` takes other servers to fit a component of the bot's."""
    return lambda code: replace(code, gemmas={**code.gemmas, component: servers})


def filling(secret: str) -> InCode:
    """`make deploy` asks for one secret more."""
    return lambda code: replace(code, secrets=code.secrets | {secret})


CHANGES: Mapping[str, tuple[InKubernetes | InTerraform | InCode, ...]] = {
    "identities_are_those_that_run": (
        InKubernetes("namespace/namespace.yaml", "  name: tandem", "  name: chat"),
        InKubernetes(VLLM, "serviceAccountName: gemma", "serviceAccountName: default"),
        InTerraform("identities.tf", '/subject/ns/tandem/sa/tandem"', '/subject/ns/default/sa/tandem"'),
        InTerraform("identities.tf", '/subject/ns/tandem/sa/weights"', '/subject/ns/tandem/sa/loader"'),
    ),
    "the_database_is_one": (
        InKubernetes("base/settings.env", "firestore://PROJECT_ID/tandem", "firestore://PROJECT_ID/(default)"),
        InTerraform("firestore.tf", 'name                              = "tandem"', 'name = "chat"'),
        InTerraform("identities.tf", "/databases/${google_firestore_database.tandem.name}", "/databases/(default)"),
    ),
    "nobody_rules_the_project": (
        InTerraform("identities.tf", '"roles/datastore.user"', '"roles/editor"'),
        InTerraform(
            "cluster.tf", '"roles/container.defaultNodeServiceAccount"', '"roles/iam.serviceAccountTokenCreator"'
        ),
    ),
    "secrets_are_those_that_are_made": (
        InKubernetes("base/secrets.yaml", "secrets/tandem-slack-bot-token/", "secrets/slack-bot-token/"),
        InTerraform("secrets.tf", '"tandem-slack-app-token"      =', '"tandem-app-token" ='),
    ),
    "each_pod_may_read_its_secrets_and_no_other": (
        InKubernetes("gemma/base/secrets.yaml", "secrets/tandem-gemma-key/", "secrets/tandem-slack-bot-token/"),
        InTerraform("secrets.tf", '["bot", "gemma"]', '["bot"]'),
        InTerraform(
            "secrets.tf", '"tandem-slack-bot-token"      = ["bot"]', '"tandem-slack-bot-token" = ["bot", "gemma"]'
        ),
    ),
    "weights_are_read_where_they_are_written": (
        InKubernetes("gemma/weights/job.yaml", "value: gemma-3-12b-it}", "value: gemma-3}"),
        InTerraform("weights.tf", '"${var.project_id}-tandem-weights"', '"${var.project_id}-weights"'),
        InTerraform("identities.tf", "roles/storage.objectViewer", "roles/storage.objectAdmin"),
    ),
    "the_bots_ports_are_its_settings": (
        InKubernetes("base/settings.env", "PORT=8080", "PORT=3000"),
        InKubernetes("base/network-policy.yaml", "port: 9464", "port: 8080"),
        InKubernetes("components/http/network-policy.yaml", "port: 8080", "port: 9464"),
        InKubernetes("base/autoscaling.yaml", "port: 9464", "port: 9090"),
        InKubernetes(ROUTE, "        port: 8080", "        port: 80"),
    ),
    "gemma_is_reached_where_it_listens": (
        InKubernetes("components/gemma/kustomization.yaml", "http://gemma:8000", "http://gemma-service:8000"),
        InKubernetes("components/gemma/network-policy.yaml", "port: 8000", "port: 8080"),
        InKubernetes("gemma/base/service.yaml", "port: 8000", "port: 80"),
        InKubernetes("gemma/base/network-policy.yaml", "port: 8000", "port: 8080"),
        InKubernetes(VLLM, "--port=8000", "--port=8080"),
    ),
    "paths_are_served": (
        InKubernetes(BOT, "{path: /readyz, port: http}", "{path: /ready, port: http}"),
        InKubernetes(ROUTE, "requestPath: /readyz", "requestPath: /"),
        InTerraform("http.tf", "request.path == '/slack/events'", "request.path == '/events'"),
        without_path("/healthz"),
        without_path("/slack/events"),
        without_path("/metrics"),
    ),
    "names_of_http_mode_are_those_that_are_made": (
        InKubernetes(ROUTE, "networking.gke.io/certmap: tandem", "networking.gke.io/certmap: chat"),
        InKubernetes(ROUTE, "securityPolicy: tandem", "securityPolicy: none"),
        InTerraform(
            "http.tf",
            'name = "tandem"\n\n  depends_on = [google_project_service.this]\n}\n\n# The cert',
            'name = "chat"\n}\n# ',
        ),
    ),
    "the_cluster_brings_what_is_used": (
        InTerraform("cluster.tf", '"PERFORMANCE"', '"NONE"'),
        InTerraform("cluster.tf", '"CHANNEL_STANDARD"', '"CHANNEL_DISABLED"'),
        InTerraform("cluster.tf", "      enabled           = true\n", "      enabled           = false\n"),
    ),
    "settings_are_settings": (
        InKubernetes("base/settings.env", "TANDEM_DRAIN_S", "TANDEM_DRAIN_SECONDS"),
        InKubernetes(BOT, "SLACK_BOT_TOKEN_FILE", "SLACK_TOKEN_FILE"),
        without_variable("GEMMA_URL"),
    ),
    "the_bot_starts_with_its_settings": (
        InKubernetes("base/settings.env", "TANDEM_TRANSPORT=socket", "TANDEM_TRANSPORT=websocket"),
        InKubernetes("components/gemma/kustomization.yaml", "http://gemma:8000", "http://gemma:8000/v1"),
        InKubernetes("components/http/kustomization.yaml", "TANDEM_TRANSPORT=http", "TANDEM_TRANSPORT=socket"),
    ),
    "the_stores_queries_have_their_indexes": (
        InTerraform("firestore.tf", '["open", "at"]', '["at", "open"]'),
        InTerraform("firestore.tf", 'messages = ["userId", "askerId"]', 'messages = ["userId"]'),
        InTerraform("firestore.tf", '["parts", "nonce"]', '["parts", "nonce", "channel"]'),
        asking("threads", "team", "lastActivityAt"),
        asking("users", "locale", across=True),
    ),
    "what_expires_is_deleted": (
        InTerraform("firestore.tf", '"leases", "turns",', '"turns",'),
        InTerraform("firestore.tf", '      = "expireAt"', '      = "expire_at"'),
        expiring("drafts"),
    ),
    "metrics_are_exported": (
        InKubernetes(
            "base/autoscaling.yaml",
            "prometheusMetricName: tandem_turns_in_flight",
            "prometheusMetricName: tandem_turns",
        ),
        InKubernetes("gemma/vllm/autoscaling.yaml", "vllm:num_requests_waiting", "vllm:gpu_cache_usage_perc"),
        InTerraform("alerts.tf", "max by (model) (tandem_breaker_open)", "max by (model) (tandem_breakers)"),
        InTerraform("alerts.tf", "tandem_events_total{fate=", "tandem_events_total{kind="),
        InTerraform("alerts.tf", 'outcome=\\"dead\\"', 'outcome=\\"given_up\\"'),
        InTerraform("alerts.tf", 'operation=\\"accept\\"', 'operation=\\"create\\"'),
        InTerraform("dashboard.tf", "sum(tandem_sockets_connected)", "sum(tandem_sockets)"),
        InTerraform("dashboard.tf", "sum by (fate)", "sum by (kind)"),
        without_metric("tandem_turns_in_flight"),
        without_metric("tandem_cost_usd_total"),
    ),
    "catalogues_fit_their_servers": (
        InKubernetes(VLLM, "--max-model-len=32768", "--max-model-len=16384"),
        InKubernetes("gemma/gemma-1b-cpu/deployment.yaml", "--parallel=2", "--parallel=4"),
        InKubernetes("components/gemma4-12b/models.toml", "gemini-3.5-flash-lite", "gemini-2.5-flash"),
        fitting("gemma-1b", "gemma3-12b-l4"),
    ),
    "images_are_built_and_shipped": (InKubernetes(BOT, "image: tandem-bot", "image: chat-app-image"),),
    "builds_and_deploys_name_what_is_made": (
        InTerraform("images.tf", '"tandem-build"', '"builder"'),
        InTerraform("images.tf", '"${var.project_id}_cloudbuild"', '"${var.project_id}-builds"'),
        InKubernetes("gemma/gemma4-12b-l4/deployment.yaml", "value: gemma-4-12b-it}", "value: gemma-4}"),
        filling("tandem-slack-client-secret"),
    ),
    "the_projects_values_are_outputs": (InTerraform("outputs.tf", 'output "weights_bucket"', 'output "bucket"'),),
}
ROWS = [(agreement, number) for agreement in CHANGES for number in range(len(CHANGES[agreement]))]
BY_NAME: Mapping[str, Agreement] = {agreement.__name__: agreement for agreement in AGREEMENTS}


@pytest.mark.parametrize("agreement", AGREEMENTS, ids=lambda agreement: agreement.__name__)
def test_all_sides_agree(world: World, agreement: Agreement) -> None:
    assert list(agreement(world)) == []


@pytest.mark.parametrize(("name", "number"), ROWS)
def test_an_agreement_notices_a_change_of_one_side(
    world: World, spoilable_terraform: SpoilableTerraform, tmp_path: Path, name: str, number: int
) -> None:
    change = CHANGES[name][number]
    tree, code = world.tree, world.code
    spoilt: AbstractContextManager[Callable[[str], Plan]] = nullcontext(world.plan)
    if isinstance(change, InKubernetes):
        tree = tree.spoilt(tmp_path, change.file, change.old, change.new)
    elif isinstance(change, InTerraform):
        spoilt = spoilable_terraform.spoilt(change.file, change.old, change.new)
    else:
        code = change(code)

    with spoilt as plan:
        assert next(BY_NAME[name](World(tree, plan, code, world.skaffold)), None)


def test_every_agreement_is_tried() -> None:
    assert set(CHANGES) == set(BY_NAME)
