"""Composition: a roster and a manifest in, a whole local Slack out, with its parts wired together."""

from dataclasses import dataclass, field

from playground.delivery import Deliveries
from playground.events import Events
from playground.files import Files
from playground.http_events import HttpEvents
from playground.interactivity import Interactivity
from playground.live import Live
from playground.manifest import Manifest
from playground.ratelimits import RateLimits
from playground.record import Record
from playground.roster import Roster
from playground.scheduled import ScheduledMessages
from playground.sessions import Sessions
from playground.socket_mode import SocketMode
from playground.streams import Streams
from playground.trouble import Timing, Trouble, defaults, set_trouble
from playground.views import Views
from playground.workspace import Change, Workspace


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the app must show. They open nothing but this playground."""

    bot_token: str = "xoxb-playground"  # noqa: S105
    app_token: str = "xapp-playground"  # noqa: S105
    signing_secret: str = "playground-signing-secret"  # noqa: S105


@dataclass(slots=True, eq=False)
class LocalSlack:
    """Every part of the playground but its HTTP routes."""

    roster: Roster
    manifest: Manifest
    credentials: Credentials = field(default_factory=Credentials)
    events_url: str = ""
    inspect_url: str = ""
    """Where the bot shows its mirror of a thread; empty: nowhere."""
    timing: Timing = field(default_factory=Timing)
    trouble: Trouble = field(default_factory=Trouble)
    base_url: str = ""
    workspace: Workspace = field(init=False)
    sessions: Sessions = field(init=False)
    streams: Streams = field(init=False)
    views: Views = field(init=False)
    files: Files = field(init=False)
    scheduled: ScheduledMessages = field(init=False)
    sockets: SocketMode = field(init=False)
    http: HttpEvents = field(init=False)
    deliveries: Deliveries = field(init=False)
    events: Events = field(init=False)
    interactivity: Interactivity = field(init=False)
    limits: RateLimits = field(init=False)
    record: Record = field(init=False)
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        roster, timing, trouble = self.roster, self.timing, self.trouble
        self.workspace = Workspace(roster)
        self.sessions = Sessions(self.workspace, timing)
        self.streams = Streams(self.workspace, self.sessions, timing)
        self.views = Views(roster)
        self.files = Files(roster.team_id)
        self.scheduled = ScheduledMessages(self.workspace.now)
        self.sockets = SocketMode(roster.app_id, timing, trouble)
        self.http = HttpEvents(self.events_url, self.credentials.signing_secret, timing)
        self.deliveries = Deliveries([self.sockets, self.http], timing, trouble)
        self.events = Events(self.workspace, self.manifest, self.deliveries, trouble)
        self.interactivity = Interactivity(self.workspace, self.manifest, self.deliveries, self.views, timing)
        self.limits = RateLimits(trouble)
        self.record = Record()
        self.live = Live(self.workspace)
        self._wire()

    def serve_at(self, base_url: str) -> None:
        """Tell every part that hands out URLs where the playground is, and look for an app behind HTTP."""
        self.base_url = self.files.base_url = self.interactivity.base_url = base_url
        self.http.watch()

    def bot_connected(self) -> bool:
        return self.sockets.is_open or self.http.answers

    async def close(self) -> None:
        """End all connections, timers and deliveries."""
        self.streams.close()
        self.sessions.close()
        self.scheduled.close()
        await self.deliveries.close()
        await self.sockets.close()
        await self.http.close()
        await self.live.close()

    def reset(self) -> None:
        """Forget everything that happened and end all trouble; people and channels stay."""
        self.streams.close()
        self.sessions.close()
        self.scheduled.close()
        self.deliveries.forget()
        self.workspace.clear()
        self.views.clear()
        self.live.clear()
        self.record.forget()
        self.limits.forget()
        set_trouble(self.trouble, self.timing, defaults())

    def _wire(self) -> None:
        self.workspace.on_change += [
            self.streams.on_change,
            self._app_posted,
            self.live.on_change,
            self.events.on_change,
        ]
        self.sessions.on_status.append(self.live.on_status)
        self.views.on_view.append(self.live.on_view)
        self.sockets.on_connections.append(lambda _: self.live.on_connection(self.bot_connected()))
        self.http.on_connection.append(lambda: self.live.on_connection(self.bot_connected()))
        self.record.on_call.append(self.live.on_call)
        self.deliveries.on_delivery.append(self.live.on_delivery)

    def _app_posted(self, change: Change) -> None:
        message = change.message
        if change.kind == "posted" and message.visible_to is None and message.author == self.roster.bot_user.id:
            self.sessions.app_posted(message.channel, message.root)
