"""The built-in example into a session: from the Upload page, and for the tour."""

from __future__ import annotations

from gui.plugin import Context


def take_example(ctx: Context, *, fresh: bool) -> None:
    """Load the example and show it in this tab.

    Parameters
    ----------
    fresh
        Into a session of its own although the present one could hold it.
    """
    from gui.data.example import make_example

    example = make_example()
    session = ctx.session
    if fresh or not session.holds_data:
        session = ctx.sessions.create_session(
            ctx.sessions.free_name("Example", actor=ctx.actor), actor=ctx.actor
        )
    session.set_dataset(example.dataset, keep_runs=False)
    ctx.switch_to(session.session_id)
