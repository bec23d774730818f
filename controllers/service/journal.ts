// What other controllers have to say about a service, until the service controller, which alone writes its status,
// takes it into the events. Lost with the process: what still holds is said again.

export interface Journal {
  say(service: string, ...messages: string[]): void;
  take(service: string): string[];
  /** Put back what could not be written. */
  back(service: string, messages: readonly string[]): void;
}

/** @param onMessage the service's key has something to be written */
export function createJournal(onMessage: (service: string) => void): Journal {
  const unwritten = new Map<string, string[]>();
  return {
    say(service, ...messages) {
      const list = unwritten.get(service) ?? [];
      const news = messages.filter((message) => !list.includes(message));
      if (news.length === 0) return;
      unwritten.set(service, [...list, ...news]);
      onMessage(service);
    },
    take(service) {
      const messages = unwritten.get(service) ?? [];
      unwritten.delete(service);
      return messages;
    },
    back(service, messages) {
      if (messages.length > 0) unwritten.set(service, [...messages, ...(unwritten.get(service) ?? [])]);
    },
  };
}
