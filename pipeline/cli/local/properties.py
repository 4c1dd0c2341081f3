"""The configuration files of the local broker."""

from __future__ import annotations

from typing import Final

SERVER_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
log.dirs={data}
num.partitions={partitions}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
add.partitions.to.txn.retry.backoff.ms=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
metadata.max.idle.interval.ms=5000
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""
# add.partitions.to.txn.retry.backoff.ms: a transaction that follows another waits at the broker for
# the markers of the earlier one, which takes some milliseconds. It looks again after 5 ms, not 20.
# offsets.topic, transaction.state.log: few partitions, because each takes 15 ms at the first use.
# broker.session.timeout.ms: a killed broker may register again once its session is over, after 3 s
# instead of 9.
# metadata.max.idle.interval.ms: an idle controller writes an empty record every 5 s and not every
# 0.5 s. An idle broker takes a quarter less of a processor then.
# log.*: small segments and a small clean-up buffer, because the heap is small.

LOGGING_PROPERTIES: Final = """\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c{1})%n
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
"""
