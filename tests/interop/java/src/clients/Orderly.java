package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;

/** Messages of one queue in their order, one at a time, whoever has the queue. */
final class Orderly {
  /** Per key the numbers in the order of their (first) consumption. */
  private static final class Order {
    final Map<String, List<Integer>> seen = new ConcurrentHashMap<>();
    final Counted counted = new Counted();

    boolean see(MessageExt m) {
      boolean first = counted.see(Env.body(m)) == 1;
      if (first) {
        String[] parts = Env.body(m).split(" ");
        seen.computeIfAbsent(parts[0], key -> java.util.Collections.synchronizedList(new ArrayList<>())).add(Integer.parseInt(parts[1]));
      }
      return first;
    }

    boolean isRising() {
      for (List<Integer> numbers : seen.values()) {
        for (int i = 1; i < numbers.size(); i++) {
          if (numbers.get(i) <= numbers.get(i - 1)) {
            return false;
          }
        }
      }
      return true;
    }
  }

  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtOrderly", 4);
    Order order = new Order();
    AtomicBoolean failed_once = new AtomicBoolean();
    List<DefaultMQPushConsumer> consumers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      DefaultMQPushConsumer consumer = env.push("ct_orderly_group");
      consumer.subscribe(topic, "*");
      consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
        for (MessageExt m : messages) {
          if (Env.body(m).equals("k1 5") && failed_once.compareAndSet(false, true)) {
            context.setSuspendCurrentQueueTimeMillis(200);
            return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
          }
          order.see(m);
        }
        return ConsumeOrderlyStatus.SUCCESS;
      });
      consumer.start();
      consumers.add(consumer);
    }
    DefaultMQProducer producer = env.producer("ct_orderly");
    send(producer, topic, 0, 25);
    out.say("everything came", Env.until(() -> order.counted.distinct() == 200));
    out.say("in order", order.isRising());
    out.say("once and again after a moment", failed_once.get());
    for (DefaultMQPushConsumer consumer : consumers) {
      consumer.shutdown();
    }
    producer.shutdown();
  }

  /** The queues go from one consumer to another while messages flow: no two at a time, nothing out of order. */
  static void handOver(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtTakeOrder", 4);
    Order order = new Order();
    AtomicBoolean overlapped = new AtomicBoolean();
    Map<String, String> busy = new ConcurrentHashMap<>();
    DefaultMQPushConsumer first = member(env, topic, "first", order, busy, overlapped);
    DefaultMQProducer producer = env.producer("ct_takeorder");
    send(producer, topic, 0, 10);
    Env.until(() -> order.counted.distinct() == 80);
    DefaultMQPushConsumer second = member(env, topic, "second", order, busy, overlapped);
    Thread sender = new Thread(() -> {
      try {
        for (int i = 10; i < 30; i++) {
          send(producer, topic, i, i + 1);
          Thread.sleep(100);
        }
      } catch (Exception e) {
        e.printStackTrace();
      }
    });
    sender.start();
    Env.until(() -> Members.owned(second, topic).size() == 2);
    out.say("shared", List.of(Members.owned(first, topic).size(), Members.owned(second, topic).size()));
    first.shutdown();
    out.say("taken over", Env.until(() -> Members.owned(second, topic).size() == 4));
    sender.join();
    out.say("everything came", Env.until(() -> order.counted.distinct() == 240));
    out.say("in order", order.isRising());
    out.say("never two at a time", !overlapped.get());
    second.shutdown();
    producer.shutdown();
  }

  private static DefaultMQPushConsumer member(Env env, String topic, String name, Order order, Map<String, String> busy,
      AtomicBoolean overlapped) throws Exception {
    DefaultMQPushConsumer consumer = env.push("ct_takeorder_group");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      String queue = String.valueOf(context.getMessageQueue().getQueueId());
      if (busy.putIfAbsent(queue, name) != null) {
        overlapped.set(true);
      }
      for (MessageExt m : messages) {
        order.see(m);
      }
      try {
        Thread.sleep(2);
      } catch (InterruptedException e) {
        return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
      } finally {
        busy.remove(queue);
      }
      return ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    return consumer;
  }

  private static void send(DefaultMQProducer producer, String topic, int from, int to) throws Exception {
    for (int i = from; i < to; i++) {
      for (int key = 0; key < 8; key++) {
        producer.send(Env.message(topic, "", "", "k" + key + " " + i), (all, m, arg) -> all.get((Integer) arg % all.size()), key);
      }
    }
  }
}
