"""A store's address is understood, or refused with a sentence that says how to write it."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.store.address import FirestoreAddress, SqliteAddress, parse_address


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("sqlite:///tandem.db", "tandem.db"),
        ("sqlite:///data/tandem.db", "data/tandem.db"),
        ("sqlite:////var/lib/tandem/tandem.db", "/var/lib/tandem/tandem.db"),
    ],
)
def test_three_slashes_are_relative_and_four_absolute(address: str, path: str) -> None:
    assert parse_address(address) == SqliteAddress(Path(path))


@pytest.mark.parametrize(
    ("address", "project", "database"),
    [
        ("firestore://acme-prod/tandem", "acme-prod", "tandem"),
        ("firestore://acme-prod/(default)", "acme-prod", "(default)"),
        ("firestore://acme-prod", "acme-prod", "(default)"),
        ("firestore://example.com:acme/chat-app-db", "example.com:acme", "chat-app-db"),
    ],
)
def test_a_firestore_address_names_project_and_database(address: str, project: str, database: str) -> None:
    assert parse_address(address) == FirestoreAddress(project, database)


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("", "write sqlite:///path/to/tandem.db or firestore://project/database"),
        ("tandem.db", "write sqlite:///path/to/tandem.db or firestore://project/database"),
        ("postgres://host/db", "write sqlite:///path/to/tandem.db or firestore://project/database"),
        ("sqlite:/tandem.db", "write sqlite:///path/to/tandem.db or firestore://project/database"),
        ("sqlite://tandem.db", "write sqlite:///relative.db or sqlite:////absolute/path.db"),
        ("sqlite:///", "write sqlite:///relative.db or sqlite:////absolute/path.db"),
        ("sqlite:///data/", "write sqlite:///relative.db or sqlite:////absolute/path.db"),
        ("firestore://", "write firestore://project-id/database-id"),
        ("firestore:///tandem", "write firestore://project-id/database-id"),
        ("firestore://Acme Prod/tandem", "write firestore://project-id/database-id"),
        ("firestore://acme-prod/a/b", "write firestore://project-id/database-id"),
    ],
)
def test_an_address_that_names_no_store_is_refused_with_advice(address: str, advice: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_address(address)

    (problem,) = refused.value.problems
    assert repr(address) in problem and advice in problem
