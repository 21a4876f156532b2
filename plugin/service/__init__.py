"""The use cases of the plugin, one file per noun. Commands call these; these call the mind."""
