#!/usr/bin/env python3
"""Topics: attributes (semantics.md 1.6), kinds of messages (3), and the trace topic, case 78."""
import json
import re

from common import T, client, equal, run

TYPES = {'UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'}


def update(c, topic=T, attributes='', queues=4):
    return c.ask(17, topic=topic, defaultTopic='TBW102', readQueueNums=queues, writeQueueNums=queues, perm=6,
                 topicFilterType='SINGLE_TAG', topicSysFlag=0, order=False, attributes=attributes)


def attributes_of(c, topic=T):
    answer = c.ask(351, topic=topic, lo=False)
    return json.loads(answer.body)['attributes'] if answer.code == 0 else None


def refused(c, changes, remark, code=1):
    answer = update(c, attributes=changes)
    equal((answer.code, answer.remark), (code, remark), changes)


def refuses_what_is_wrong_in_any_case(c):
    refused(c, 'message.type=FIFO', 'add/alter attribute format is wrong: message.type')
    refused(c, 'message.type', 'delete attribute format is wrong: message.type')
    refused(c, '+message.type=FIFO,+message.type=NORMAL', 'key duplication: +message.type')
    refused(c, '+other-key=1', 'kv string format wrong.')
    refused(c, '+no.such=1', 'unsupported key: no.such')
    refused(c, '+reserve.time=-2', 'value is not in range(-1, 9223372036854775807)')
    refused(c, '+reserve.time=soon', 'For input string: "soon"')
    answer = update(c, attributes='+message.type=STRANGE')
    said = re.fullmatch(r'value is not in set: \[(.*)\]', answer.remark)
    equal((answer.code, said and set(said[1].split(', '))), (1, TYPES), 'no such type')


def case_11():
    c = client()
    refuses_what_is_wrong_in_any_case(c)
    refused(c, '-message.type', 'only add attribute is supported while creating topic. key: message.type')
    equal(attributes_of(c), None, 'no topic was made')
    equal(update(c, attributes='+message.type=DELAY,+cleanup.policy=DELETE').code, 0, 'create')
    equal(attributes_of(c), {'message.type': 'DELAY', 'cleanup.policy': 'DELETE'}, 'as asked for')
    refuses_what_is_wrong_in_any_case(c)
    refused(c, '-reserve.time', 'attempt to delete a nonexistent key: reserve.time')
    refused(c, '+message.type=FIFO,-message.type', 'alter duplication key. key: message.type')
    for change in ('+cleanup.policy=COMPACTION', '+cleanup.policy=DELETE', '-cleanup.policy', '+queue.type=SimpleCQ'):
        refused(c, change, f'attempt to update an unchangeable attribute. key: {re.search("[a-z.]+", change)[0]}')
    equal(update(c, attributes='+message.type=FIFO,+reserve.time=9').code, 0, 'alter')
    equal(attributes_of(c), {'message.type': 'FIFO', 'cleanup.policy': 'DELETE', 'reserve.time': '9'}, 'altered')
    equal(update(c, attributes='-message.type', queues=5).code, 0, 'take away')
    equal(attributes_of(c), {'cleanup.policy': 'DELETE', 'reserve.time': '9'}, 'taken away')


def case_mixed():
    c = client()
    refused(c, '+message.type=MIXED', 'MIXED message type is not supported.', 29)
    equal(attributes_of(c), None, 'no topic was made')


def case_mixed_taken():
    c = client()
    equal(update(c, attributes='+message.type=MIXED').code, 0, 'create')
    equal(attributes_of(c), {'message.type': 'MIXED'}, 'kept')


OF_TYPE = {'NORMAL': {}, 'FIFO': {'__SHARDINGKEY': 's'}, 'DELAY': {'DELAY': '1'}, 'TRANSACTION': {'TRAN_MSG': 'true', 'PGROUP': 'PG'}}


def case_types():
    """The broker keeps the type and takes everything: checks are the proxy's."""
    c = client()
    for topic_type in OF_TYPE:
        topic = f'{T}-{topic_type}'
        equal(update(c, topic, f'+message.type={topic_type}').code, 0, topic)
        for message_type, properties in OF_TYPE.items():
            equal(c.put(topic, 'x', **properties).code, 0, f'{message_type} to {topic_type}')


def case_types_checked():
    """enableTopicMessageTypeCheck; NORMAL is what a topic is that does not say."""
    c = client()
    for topic_type in [*OF_TYPE, 'MIXED', '']:
        topic = f'{T}-{topic_type}'
        equal(update(c, topic, topic_type and f'+message.type={topic_type}').code, 0, topic)
        expected = topic_type or 'NORMAL'
        for message_type, properties in OF_TYPE.items():
            answer = c.put(topic, 'x', **properties)
            fits = expected in (message_type, 'MIXED')
            equal((answer.code, answer.remark),
                  (0, '') if fits else (13, f'TopicMessageType validate failed, the expected type is {expected}, '
                                            f'but actual type is {message_type}'), f'{message_type} to {topic_type}')
    equal(c.put('%DLQ%G', 'x', DELAY='1').code, 0, 'to a dead letter queue')


def case_78():
    c = client()
    trace = 'RMQ_SYS_TRACE_TOPIC'
    equal(c.ask(351, topic=trace, lo=False).code, 17, 'not there')
    equal(c.put(trace, 'x').code, 0, 'first trace')
    made = json.loads(c.ask(351, topic=trace, lo=False).body)
    equal((made['readQueueNums'], made['writeQueueNums'], made['perm']), (4, 4, 6), 'as any topic')


if __name__ == '__main__':
    run(globals())
