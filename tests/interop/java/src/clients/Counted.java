package clients;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** How often each body was seen. Any thread. */
final class Counted {
  final java.util.Set<String> topics = ConcurrentHashMap.newKeySet();
  private final Map<String, Integer> seen = new ConcurrentHashMap<>();

  int see(String body) {
    return seen.merge(body, 1, Integer::sum);
  }

  int distinct() {
    return seen.size();
  }

  boolean has(String body) {
    return seen.containsKey(body);
  }

  boolean hasAll(Collection<String> bodies) {
    return seen.keySet().containsAll(bodies);
  }

  int of(String body) {
    return seen.getOrDefault(body, 0);
  }

  List<String> twice() {
    List<String> out = new ArrayList<>();
    seen.forEach((body, times) -> {
      if (times > 1) {
        out.add(body);
      }
    });
    out.sort(null);
    return out;
  }

  Map<String, Integer> all() {
    return new TreeMap<>(seen);
  }
}
