"""Repairs as a user makes them who takes every proposal."""

from __future__ import annotations

from gui.data.validation.examine import with_proposed_repairs as repaired

__all__ = ["repaired"]
