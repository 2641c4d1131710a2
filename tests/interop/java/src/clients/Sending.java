package clients;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;

/** Every way to send, and what is stored of it. */
final class Sending {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtSend", 4);
    DefaultMQProducer producer = env.producer("ct_send");

    Map<String, List<Long>> offsets = new TreeMap<>();
    for (int i = 0; i < 8; i++) {
      SendResult sent = producer.send(message(topic, "sync", i));
      expect(sent);
      offsets.computeIfAbsent("" + sent.getMessageQueue().getQueueId(), q -> new ArrayList<>()).add(sent.getQueueOffset());
    }
    out.say("sync: queue offsets, queue by queue", offsets);

    AtomicInteger succeeded = new AtomicInteger();
    CountDownLatch answered = new CountDownLatch(8);
    for (int i = 0; i < 8; i++) {
      producer.send(message(topic, "async", i), new SendCallback() {
        @Override
        public void onSuccess(SendResult sent) {
          succeeded.incrementAndGet();
          answered.countDown();
        }

        @Override
        public void onException(Throwable e) {
          e.printStackTrace();
          answered.countDown();
        }
      });
    }
    out.say("async: all answered", answered.await(60, TimeUnit.SECONDS));
    out.say("async: succeeded", succeeded.get());

    for (int i = 0; i < 8; i++) {
      producer.sendOneway(message(topic, "oneway", i));
    }

    Collection<Message> batch = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      batch.add(message(topic, "batch", i));
    }
    SendResult sent = producer.send(batch);
    expect(sent);
    out.say("batch: ids, offset ids", List.of(sent.getMsgId().split(",").length, sent.getOffsetMsgId().split(",").length));

    List<Integer> queues = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      SendResult ordered = producer.send(message(topic, "ordered", i), (all, m, arg) -> all.get((Integer) arg % all.size()), i % 3);
      expect(ordered);
      queues.add(ordered.getMessageQueue().getQueueId());
    }
    out.say("ordered: queues", queues);

    char[] long_text = new char[20_000];
    Arrays.fill(long_text, '长');
    Message compressed = Env.message(topic, "compressed", "", new String(long_text));
    expect(producer.send(compressed));
    Message flagged = Env.message(topic, "flagged", "", "flagged");
    flagged.setFlag(7);
    flagged.setWaitStoreMsgOK(false);
    flagged.putUserProperty("user", "中文");
    expect(producer.send(flagged));

    Env.until(() -> {
      try {
        return env.read(topic).size() == 43;
      } catch (Exception e) {
        return false;
      }
    });
    Map<String, Object> stored = new TreeMap<>();
    boolean ids = true;
    for (MessageExt m : env.read(topic)) {
      String body = Env.body(m);
      stored.put(body.length() > 100 ? body.length() + " of " + body.charAt(0) : body,
          List.of(Env.properties(m), m.getFlag(), m.getSysFlag() & ~0x30, m.getReconsumeTimes(), m.getBornHost() != null));
      ids = ids && MessageDecoder.decodeMessageId(m.getMsgId().length() == 32 && m.getProperty("UNIQ_KEY") == null ? m.getMsgId()
          : offsetId(m)).getOffset() == m.getCommitLogOffset();
    }
    out.say("offset ids hold the offset", ids);
    for (Map.Entry<String, Object> one : stored.entrySet()) {
      out.say("stored: " + one.getKey(), one.getValue());
    }
    producer.shutdown();
  }

  private static String offsetId(MessageExt m) {
    return ((org.apache.rocketmq.common.message.MessageClientExt) m).getOffsetMsgId();
  }

  private static Message message(String topic, String kind, int i) {
    Message message = Env.message(topic, kind, kind + "-" + i, kind + " " + i);
    message.putUserProperty("number", String.valueOf(i));
    return message;
  }

  private static void expect(SendResult sent) {
    if (sent.getSendStatus() != SendStatus.SEND_OK) {
      throw new IllegalStateException(sent.toString());
    }
  }
}
