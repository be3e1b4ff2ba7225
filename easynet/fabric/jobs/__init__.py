"""Calls that outlive whoever made them: submitted durably, worked on, followed and cancelled."""
