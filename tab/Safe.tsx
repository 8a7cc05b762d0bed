import { Component, type ReactNode } from 'react';
import { Notice } from './Notice.tsx';

/** When a part of the page cannot be drawn: words and a way on instead of an empty frame. React asks for a class. */
export class Safe extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <Notice
        title="This page broke"
        action={{ text: 'Load it again', run: () => window.location.reload() }}
        urgent
      >
        That is our mistake. Nothing was lost; chat with Watchpost still works.
      </Notice>
    );
  }
}
