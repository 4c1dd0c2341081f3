# ruff: noqa: E501  statements
"""A month in which much happened, made by ClickHouse itself, for pictures and for speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

#: So many of each, over the 30 days before now, more by day than by night.
MESSAGES: Final = 60_000
_AT: Final = (
    "toDateTime64(toUnixTimestamp(now()) - rand(1) % 2592000, 3, 'UTC')"
    " + toIntervalHour(if(rand(2) % 3 = 0, 6, 0)) AS raw_at,"
    " least(toDateTime64(toStartOfDay(raw_at), 3, 'UTC') + toIntervalSecond(21600 +"
    " rand(3) % 57600), now64(3, 'UTC')) AS at"
)
_NUMBER: Final = (
    "arrayElement(['88801','447800100001','447800100002','447800100007','27820000001','88802',"
    "'447800100044','447800100055','447800100077'], 1 + toUInt8(sqrt(rand(4) % 81))) AS number"
)
STATEMENTS: Final = (
    f"""INSERT INTO twoway.conversation_line_rows
    (at, id, record, direction, handset, number, text, complete, stored_at, written_at, way)
    SELECT at, concat('m', toString(serial)), 'mo-message', 'MO',
    concat('4477009', leftPad(toString(rand(5) % 4000), 5, '0')), number,
    arrayElement(['Where is my parcel?','Yes please','STOP','ok thanks','Call me back'],
    1 + rand(6) % 5), true, at, at, 'http'
    FROM (SELECT serial, {_AT}, {_NUMBER} FROM (SELECT number AS serial FROM numbers({MESSAGES})))""",
    f"""INSERT INTO twoway.conversation_line_rows
    (at, id, record, direction, handset, number, text, complete, purpose, stored_at, written_at)
    SELECT at, concat('c', toString(serial)), 'mt-command', 'MT',
    concat('4477009', leftPad(toString(rand(5) % 4000), 5, '0')), number, 'It is on its way.', true,
    'reply', at, at FROM (SELECT serial, {_AT}, {_NUMBER} FROM (SELECT number AS serial FROM numbers({MESSAGES})))""",
    f"""INSERT INTO twoway.mt_last_state_rows
    (key, handset, state, code, words, at, written_at, kafka_offset)
    SELECT MD5(concat('c', toString(number))), '', tupleElement(what, 1), tupleElement(what, 2),
    tupleElement(what, 3), now64(3), now64(3), number
    FROM (SELECT number, arrayElement([('delivered','004','Received by recipient'),
    ('delivered','004','Received by recipient'),('delivered','004','Received by recipient'),
    ('submitted','003','Delivered to gateway'),('undelivered','009','Routing error'),
    ('failed','114','Cannot route message'),('undelivered','010','Message expired'),
    ('waiting','301','No credit left'),('unknown','','')],
    1 + toUInt8(least(8, exp((rand(7) % 1000) / 430)))) AS what FROM numbers({MESSAGES}))""",
    """INSERT INTO twoway.consent_change_rows
    (change_id, handset, scope_kind, scope, state, gateway_state, previous_state,
    previous_gateway_state, rule, mo_message_id, number, at, recorded_at, confirmation_due_at,
    confirmation_deadline, kafka_offset, written_at)
    SELECT concat('x', toString(number)), concat('4477008', toString(number)), 'number', '88801',
    if(is_stop, 'confirmation-due', 'open'), if(is_stop, 'confirmation-due', 'open'),
    if(is_stop, 'open', 'stopped'), if(is_stop, 'open', 'stopped'),
    if(is_stop, 'stop-word', 're-enabled'), concat('s', toString(number)), '88801', at, at,
    if(is_stop, at + INTERVAL 345 MINUTE, NULL), if(is_stop, at + INTERVAL 6 HOUR, NULL), number, at
    FROM (SELECT number, rand(8) % 3 > 0 AS is_stop,
    now64(3, 'UTC') - toIntervalSecond(43200 + rand(9) % 2500000) AS at FROM numbers(900))""",
    """INSERT INTO twoway.mt_command_rows
    (command_id, purpose, handset, mo_message_id, at, not_after, written_at)
    SELECT concat('k', change_id), 'confirmation', handset, mo_message_id, at, at, at
    FROM twoway.consent_change_rows WHERE state = 'confirmation-due' AND rand() % 20 > 0""",
    """INSERT INTO twoway.mt_state_rows (state_id, command_id, handset, state, at, written_at)
    SELECT concat('t', command_id), command_id, handset, 'submitted',
    at + toIntervalSecond(toUInt32(20700 * pow((rand(11) % 1000) / 1000, 2)) + 20), at
    FROM twoway.mt_command_rows WHERE purpose = 'confirmation'""",
    """INSERT INTO twoway.dead_letter_rows (dead_letter_id, source, stage, reason, words, at, written_at)
    SELECT hex(MD5(toString(number))), 'http', 'normalise', arrayElement(['missing-to',
    'missing-from','broken-percent-encoding','too-long'], 1 + toUInt8(sqrt(rand(12) % 16))), 'absent',
    now64(3, 'UTC') - toIntervalSecond(rand(13) % 2592000), now64(3)
    FROM numbers(160)""",
)  # fmt: skip


def store_busy_month(database: Database) -> None:
    """Fill the tables; each time with other rows."""
    for statement in STATEMENTS:
        database.writing.command(statement, settings={"max_partitions_per_insert_block": 0})
