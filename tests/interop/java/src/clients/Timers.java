package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.producer.RecallMessageHandle;

/** Timed messages: nothing early, everything once, what is taken back never, and what is refused. */
final class Timers {
  private static final String TARGET = "TIMER_DEL_UNIQKEY";

  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtTimer", 2);
    Map<String, Long> due_ms = new TreeMap<>();
    Arrivals arrivals = new Arrivals(env, "ct_timer_group", topic, "*");
    Map<String, Long> came_ms = arrivals.came_ms;
    DefaultMQProducer producer = env.producer("ct_timer");
    producer.setRetryTimesWhenSendFailed(0);

    // The first send asks for routes and opens connections: what is soon due is counted from after it, and is due no sooner than a
    // slow machine takes to send it, for a message whose time has passed is an ordinary one.
    long base = System.currentTimeMillis();
    send(producer, due_ms, base - 5000, Map.of("TIMER_DELIVER_MS", "" + (base - 5000)), topic, "at -5000");
    base = System.currentTimeMillis();
    for (long wait : new long[] {3000, 3900, 5100, 6400}) {
      send(producer, due_ms, base + wait, Map.of("TIMER_DELIVER_MS", "" + (base + wait)), topic, "at " + wait);
    }
    send(producer, due_ms, base + 1500, Map.of("TIMER_DELAY_MS", "1500"), topic, "in ms");
    send(producer, due_ms, base + 2000, Map.of("TIMER_DELAY_SEC", "2"), topic, "in s");
    send(producer, due_ms, base, Map.of("TIMER_DELAY_SEC", "0", "TIMER_DELAY_MS", "60000"), topic, "seconds go first");
    send(producer, due_ms, base + 1000, Map.of("DELAY", "1", "TIMER_DELAY_MS", "60000"), topic, "a level goes before");
    send(producer, due_ms, base, Map.of("TIMER_DELAY_MS", "60000", "TIMER_OUT_MS", "1"), topic, "has been through it");

    // Taken back: by the handle of the send, and by hand.
    long later = base / 1000 * 1000 + 8300;
    SendResult first = send(producer, null, later, Map.of("TIMER_DELIVER_MS", "" + later), topic, "recalled");
    SendResult second = send(producer, null, later, Map.of("TIMER_DELIVER_MS", "" + later), topic, "deleted");
    send(producer, due_ms, later, Map.of("TIMER_DELIVER_MS", "" + later), topic, "kept");
    RecallMessageHandle.HandleV1 handle = (RecallMessageHandle.HandleV1) RecallMessageHandle.decodeHandle(first.getRecallHandle());
    out.say("handle", List.of(handle.getVersion(), handle.getTopic(), handle.getBrokerName(), handle.getMessageId().equals(first.getMsgId()),
        Long.parseLong(handle.getTimestampStr()) == later / 1000 * 1000 + 1));
    out.say("recall", producer.recallMessage(topic, first.getRecallHandle()).equals(first.getMsgId()));
    send(producer, null, later, Map.of("TIMER_DELIVER_MS", "" + later, TARGET, topic + "+" + second.getMsgId()), topic, "0");
    // A bare id no longer names a message.
    send(producer, due_ms, later, Map.of("TIMER_DELIVER_MS", "" + later), topic, "kept, too");
    send(producer, null, later, Map.of("TIMER_DELIVER_MS", "" + later, TARGET, first.getMsgId()), topic, "0");
    out.say("no handle without a timer", send(producer, null, 0, Map.of(), topic, "plain").getRecallHandle() == null);

    refused(producer, out, topic, base, first);

    out.say("everything came", Env.until(() -> came_ms.keySet().containsAll(due_ms.keySet())));
    out.say("nothing else", Env.never(3000, () -> came_ms.containsKey("recalled") || came_ms.containsKey("deleted") || came_ms.containsKey("0")));
    List<String> early = new ArrayList<>();
    for (String body : due_ms.keySet()) {
      if (arrivals.before(body, due_ms.get(body))) {
        early.add(body);
      }
    }
    out.say("early", early);
    arrivals.finish(out);
    producer.shutdown();
  }

  private static void refused(DefaultMQProducer producer, Outcome out, String topic, long base, SendResult first) {
    for (Map<String, String> bad : List.of(Map.of("TIMER_DELAY_SEC", "259201"), Map.of("TIMER_DELAY_MS", "259201000"), Map.of("TIMER_DELIVER_MS", "" + (base + 260_000_000)),
        Map.of("TIMER_DELAY_SEC", "soon"), Map.of("TIMER_DELAY_MS", "1.5"), Map.of("TIMER_DELIVER_MS", "9223372036854775808"),
        Map.of("TIMER_DELIVER_MS", "" + (base - 1000), TARGET, topic + "+" + first.getMsgId()))) {
      String name = new TreeMap<>(bad).keySet() + (bad.containsKey("TIMER_DELIVER_MS") ? "" : bad.values().toString()) + bad.size();
      out.say("refused " + name, Refused.code(() -> send(producer, null, 0, bad, topic, "bad")));
    }
    Map<String, String> handles = new TreeMap<>();
    handles.put("no handle", "nonsense");
    handles.put("another topic", RecallMessageHandle.HandleV1.buildHandle("TBW102", "broker-a", "" + (base + 60_000), first.getMsgId()));
    handles.put("the past", RecallMessageHandle.HandleV1.buildHandle(topic, "broker-a", "" + (base - 1), first.getMsgId()));
    handles.put("too far", RecallMessageHandle.HandleV1.buildHandle(topic, "broker-a", "" + (base + 300_000_000), first.getMsgId()));
    handles.put("no number", RecallMessageHandle.HandleV1.buildHandle(topic, "broker-a", "soon", first.getMsgId()));
    handles.forEach((name, handle) -> out.say("recall of " + name, Refused.code(() -> producer.recallMessage(topic, handle))));
    out.say("recall in no topic", Refused.code(() -> producer.recallMessage("CtNowhere",
        RecallMessageHandle.HandleV1.buildHandle("CtNowhere", "broker-a", "" + (base + 60_000), first.getMsgId()))));
  }

  /** due_ms is null for what must not come, or is of no interest. */
  private static SendResult send(DefaultMQProducer producer, Map<String, Long> due_ms, long due, Map<String, String> properties, String topic,
      String body) throws Exception {
    Message message = Env.message(topic, "T", "k", body);
    properties.forEach((name, value) -> MessageAccessor.putProperty(message, name, value));
    if (due_ms != null) {
      due_ms.put(body, due);
    }
    return producer.send(message);
  }
}
