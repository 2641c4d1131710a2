package clients;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;

/** A consumer that notes of each body when it came first, and as what. */
final class Arrivals {
  final Map<String, Long> came_ms = new ConcurrentHashMap<>();
  final Counted seen = new Counted();
  private final Map<String, Object> as_received = new ConcurrentHashMap<>();
  private final DefaultMQPushConsumer consumer;

  Arrivals(Env env, String group, String topic, String tags) throws Exception {
    consumer = env.push(group);
    consumer.subscribe(topic, tags);
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      MessageExt m = messages.get(0);
      seen.see(Env.body(m));
      came_ms.putIfAbsent(Env.body(m), System.currentTimeMillis());
      as_received.put(Env.body(m), List.of(m.getTopic(), m.getReconsumeTimes(), Env.properties(m)));
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
  }

  /** Whether it came too early, by more than clocks differ, or has not come. */
  boolean before(String body, long due_ms) {
    return !came_ms.containsKey(body) || came_ms.get(body) < due_ms - 10;
  }

  void finish(Outcome out) {
    out.say("twice", seen.twice());
    out.say("as received", new TreeMap<>(as_received));
    consumer.shutdown();
  }
}
