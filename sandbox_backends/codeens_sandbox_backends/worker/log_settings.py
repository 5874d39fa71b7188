"""Settings of `logging`: loggers with their handlers, names of levels, what loggers and records are made by."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from .settings import Setting, name_of

_PLAIN_LOGGER = (0, (), (), True, False)


def _loggers(logging: Any) -> Any:
    known = {"": logging.root, **logging.root.manager.loggerDict}
    states = {name: _logger(logger) for name, logger in known.items() if isinstance(logger, logging.Logger)}
    states = {name: state for name, state in states.items() if state != _PLAIN_LOGGER}
    return logging.root.manager.disable, states


def _logger(logger: Any) -> Tuple[Any, ...]:
    return logger.level, (*map(_handler, logger.handlers),), (*logger.filters,), logger.propagate, logger.disabled


def _handler(handler: Any) -> Tuple[Any, ...]:
    return handler, handler.level, handler.formatter, (*handler.filters,)


def _put_loggers(logging: Any, before: Any) -> None:
    logging.disable(before[0])
    _, now = _loggers(logging)
    for name in {*now, *before[1]}:
        logger = logging.getLogger(name or None)
        level, handlers, filters, logger.propagate, logger.disabled = before[1].get(name, _PLAIN_LOGGER)
        logger.setLevel(level)  # which forgets what it remembers of levels
        logger.handlers[:], logger.filters[:] = [handler for handler, *_ in handlers], filters
        for handler, handler.level, handler.formatter, its_filters in handlers:
            handler.filters[:] = its_filters


def _told_loggers(state: Any) -> Any:
    disabled, states = state
    return [disabled, *sorted((name, _told_logger(*each)) for name, each in states.items())]


def _told_logger(level: int, handlers: Any, filters: Any, *flags: Any) -> Any:
    return [level, [_told_handler(*each) for each in handlers], [*map(name_of, filters)], *map(bool, flags)]


def _told_handler(handler: Any, level: int, formatter: Any, filters: Any) -> Any:
    form = None if formatter is None else (formatter.__dict__.get("_fmt"), formatter.datefmt)
    return [name_of(handler), level, form, [*map(name_of, filters)]]


def _levels(logging: Any) -> Dict[int, str]:
    return dict(logging.__dict__["_levelToName"])


def _put_levels(logging: Any, before: Dict[int, str]) -> None:
    names = logging.__dict__["_levelToName"]
    names.clear()
    names.update(before)


def _makers(logging: Any) -> Tuple[Any, Any]:
    return logging.getLoggerClass(), logging.getLogRecordFactory()


def _put_makers(logging: Any, before: Tuple[Any, Any]) -> None:
    logging.setLoggerClass(before[0])
    logging.setLogRecordFactory(before[1])


def _is_capturing(logging: Any) -> bool:
    return logging.__dict__["_warnings_showwarning"] is not None


LOGGING: Dict[str, Setting] = {
    "logging": Setting("logging", _loggers, _put_loggers, _told_loggers),
    "makers of loggers and records": Setting("logging", _makers, _put_makers, lambda makers: [*map(name_of, makers)]),
    "names of levels": Setting("logging", _levels, _put_levels),
    "warnings to the log": Setting("logging", _is_capturing, lambda logging, before: logging.captureWarnings(before)),
}
