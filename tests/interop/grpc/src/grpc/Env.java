package grpc;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.MessageListener;
import org.apache.rocketmq.client.apis.consumer.PushConsumer;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageBuilder;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;
import org.apache.rocketmq.client.apis.producer.TransactionChecker;

/** Where the proxy is, and the few things that every scenario needs. Any thread. */
final class Env {
  private static final long PATIENCE_MS = 120_000;

  private final ClientServiceProvider provider = ClientServiceProvider.loadService();
  private final ClientConfiguration configuration;

  Env(String proxy) {
    configuration = ClientConfiguration.newBuilder()
        .setEndpoints(proxy)
        .enableSsl(false)
        .setRequestTimeout(Duration.ofSeconds(20))
        .build();
  }

  Producer producer(String topic) throws Exception {
    return provider.newProducerBuilder().setClientConfiguration(configuration).setTopics(topic).build();
  }

  Producer producer(String topic, TransactionChecker checker) throws Exception {
    return provider.newProducerBuilder()
        .setClientConfiguration(configuration)
        .setTopics(topic)
        .setTransactionChecker(checker)
        .build();
  }

  PushConsumer push(String topic, FilterExpression filter, MessageListener listener) throws Exception {
    return provider.newPushConsumerBuilder()
        .setClientConfiguration(configuration)
        .setConsumerGroup(group(topic))
        .setSubscriptionExpressions(Map.of(topic, filter))
        .setMessageListener(listener)
        .build();
  }

  SimpleConsumer simple(String topic) throws Exception {
    return provider.newSimpleConsumerBuilder()
        .setClientConfiguration(configuration)
        .setConsumerGroup(group(topic))
        .setAwaitDuration(Duration.ofSeconds(2))
        .setSubscriptionExpressions(Map.of(topic, FilterExpression.SUB_ALL))
        .build();
  }

  MessageBuilder message(String topic, String body) {
    return provider.newMessageBuilder().setTopic(topic).setBody(body.getBytes(StandardCharsets.UTF_8));
  }

  /** Each topic has one group, which proxy_test.sh made. */
  private static String group(String topic) {
    return topic + "_group";
  }

  static String body(MessageView message) {
    ByteBuffer body = message.getBody();
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Until it is so, or patience is at its end: then what is printed differs. */
  static void until(BooleanSupplier done) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_MS * 1_000_000;
    while (!done.getAsBoolean() && System.nanoTime() < end) {
      Thread.sleep(50);
    }
  }

  /** Time for what must not come. */
  static void pause() throws InterruptedException {
    Thread.sleep(1500);
  }
}
