/** A Slack emoji's short name in, the character out: the ones that bots and people use most. */

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", wave: "👋", tada: "🎉", rocket: "🚀",
  heart: "❤️", fire: "🔥", sparkles: "✨", star: "⭐", bulb: "💡", warning: "⚠️", x: "❌", white_check_mark: "✅",
  heavy_check_mark: "✔️", hourglass: "⌛", hourglass_flowing_sand: "⏳", thinking_face: "🤔", robot_face: "🤖",
  smile: "😄", grinning: "😀", joy: "😂", slightly_smiling_face: "🙂", wink: "😉", sob: "😭", pray: "🙏", clap: "👏",
  raised_hands: "🙌", ok_hand: "👌", muscle: "💪", point_right: "👉", point_left: "👈", memo: "📝", book: "📖",
  link: "🔗", lock: "🔒", unlock: "🔓", key: "🔑", mag: "🔍", gear: "⚙️", wrench: "🔧", hammer: "🔨", bug: "🐛",
  zap: "⚡", snowflake: "❄️", sunny: "☀️", cloud: "☁️", coffee: "☕", pizza: "🍕", cake: "🍰", beers: "🍻",
  calendar: "📅", clock1: "🕐", stopwatch: "⏱️", bell: "🔔", speech_balloon: "💬", question: "❓", exclamation: "❗",
  information_source: "ℹ️", arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", stop_button: "⏹️",
  octagonal_sign: "🛑", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", large_blue_circle: "🔵",
  100: "💯", bike: "🚲", gem: "💎",
};

/** Returns undefined for names this playground does not draw, which are then shown as `:name:`. */
export function emoji(name) {
  return Object.hasOwn(EMOJI, name) ? EMOJI[name] : undefined;
}
