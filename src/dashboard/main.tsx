import { render } from 'preact';
import { createGatewayApi } from './api/gateway-api.ts';
import { App } from './app.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/components.css';
import './styles/tables.css';
import './styles/prompt.css';
import './styles/records.css';
import './styles/experiment.css';
import './styles/plots.css';

const root = document.getElementById('app');
if (root !== null) render(<App api={createGatewayApi((input, init) => fetch(input, init))} />, root);
