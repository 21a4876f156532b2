"""The bridge under faults: seeded histories on real servers, with a checker for what was lost, doubled or turned around."""
