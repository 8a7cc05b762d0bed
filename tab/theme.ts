import {
  type Theme,
  teamsDarkTheme,
  teamsHighContrastTheme,
  teamsLightTheme,
} from '@fluentui/react-components';

/** Teams' own three; what else a host may say counts as `default`. */
export type ThemeName = 'default' | 'dark' | 'contrast';

/** Our few meanings of colour beside Fluent's, as CSS variables of the same name. The only file that names colours. */
type Meanings = {
  /** Text: it got worse, it got better, somebody should look. At least 4.5:1 on cards and page. */
  wpWorse: string;
  wpBetter: string;
  wpAttention: string;
  /** Lines and bars of data. */
  wpLine: string;
  /** What a bar is filled on. */
  wpTrack: string;
  wpGrid: string;
  wpPage: string;
  wpCard: string;
  wpEdge: string;
  wpRowHover: string;
  /** A chosen chip and the text on it. */
  wpChosen: string;
  wpOnChosen: string;
};

const light: Theme & Meanings = {
  ...teamsLightTheme,
  wpWorse: teamsLightTheme.colorStatusDangerForeground1,
  wpBetter: teamsLightTheme.colorStatusSuccessForeground1,
  wpAttention: teamsLightTheme.colorStatusWarningForeground1,
  wpLine: teamsLightTheme.colorBrandForeground1,
  wpTrack: teamsLightTheme.colorNeutralStroke2,
  wpGrid: teamsLightTheme.colorNeutralStroke2,
  wpPage: teamsLightTheme.colorNeutralBackground3,
  wpCard: teamsLightTheme.colorNeutralBackground1,
  wpEdge: teamsLightTheme.colorNeutralStroke2,
  wpRowHover: teamsLightTheme.colorNeutralBackground1Hover,
  wpChosen: teamsLightTheme.colorBrandBackground,
  wpOnChosen: teamsLightTheme.colorNeutralForegroundOnBrand,
};

const dark: Theme & Meanings = {
  ...teamsDarkTheme,
  // Fluent's status red is 4.2:1 on a dark card; the palette's is 5.4:1.
  wpWorse: teamsDarkTheme.colorPaletteRedForeground1,
  wpBetter: teamsDarkTheme.colorStatusSuccessForeground1,
  wpAttention: teamsDarkTheme.colorStatusWarningForeground1,
  wpLine: teamsDarkTheme.colorBrandForeground1,
  wpTrack: teamsDarkTheme.colorNeutralStroke2,
  wpGrid: teamsDarkTheme.colorNeutralStroke3,
  wpPage: teamsDarkTheme.colorNeutralBackground3,
  wpCard: teamsDarkTheme.colorNeutralBackground1,
  wpEdge: teamsDarkTheme.colorNeutralStroke3,
  wpRowHover: teamsDarkTheme.colorSubtleBackgroundHover,
  wpChosen: teamsDarkTheme.colorBrandForeground1,
  wpOnChosen: teamsDarkTheme.colorNeutralForegroundInverted,
};

const contrast: Theme & Meanings = {
  ...teamsHighContrastTheme,
  wpWorse: teamsHighContrastTheme.colorNeutralForeground1,
  wpBetter: teamsHighContrastTheme.colorNeutralForeground1,
  wpAttention: teamsHighContrastTheme.colorNeutralForeground1,
  wpLine: teamsHighContrastTheme.colorCompoundBrandBackground,
  wpTrack: teamsHighContrastTheme.colorNeutralBackground1,
  wpGrid: teamsHighContrastTheme.colorNeutralStroke1,
  wpPage: teamsHighContrastTheme.colorNeutralBackground1,
  wpCard: teamsHighContrastTheme.colorNeutralBackground1,
  wpEdge: teamsHighContrastTheme.colorNeutralStroke1,
  wpRowHover: teamsHighContrastTheme.colorNeutralBackground1,
  wpChosen: teamsHighContrastTheme.colorCompoundBrandBackground,
  wpOnChosen: teamsHighContrastTheme.colorNeutralForegroundInverted,
};

const themes: Record<ThemeName, Theme & Meanings> = { default: light, dark, contrast };

export function themeOf(name: ThemeName): Theme {
  return themes[name];
}

/** Tells the part of the window that no element covers: the strip beside the page, what shows before and behind it. */
export function paintWindow(name: ThemeName): void {
  document.documentElement.dataset.theme = name;
  document.documentElement.style.background = themes[name].wpPage;
}

/** The host's word for its theme; unknown words are the light one. */
export function themeNamed(word: string | undefined): ThemeName {
  return word === 'dark' || word === 'contrast' ? word : 'default';
}

/** Outside Teams the page follows the system, and says when it changes. */
export function watchSystemTheme(changed: (name: ThemeName) => void): ThemeName {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', () => changed(dark.matches ? 'dark' : 'default'));
  return dark.matches ? 'dark' : 'default';
}
