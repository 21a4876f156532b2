"""Starts, stops and wires the plugin.

What it expects of its neighbours: `plugin.commands.Dispatcher(services)` with ``async handle(message: Incoming)`` (which catches and
words all errors itself), `plugin.replies.Replies(messages, phrases)` (implements `Tells` and `Warns`), and
`plugin.i18n.read_phrases(read)`, ``read`` being ``async (file name inside plugin/i18n) -> bytes``, giving `haven.phrases.Phrases`.
"""
