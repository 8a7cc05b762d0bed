/** A search field. Fluent's own costs 6 KB of script for what the browser's field does by itself. */
export function Search(props: { label: string; value: string; change: (text: string) => void }) {
  return (
    <input
      type="search"
      className="search"
      placeholder={props.label}
      aria-label={props.label}
      value={props.value}
      maxLength={80}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => props.change(event.target.value)}
    />
  );
}
